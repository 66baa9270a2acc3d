from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('emotions', '0004_mood_of_a_network'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='emotionevent',
            options={'verbose_name': 'reading'},
        ),
        migrations.AlterModelOptions(
            name='minuterollup',
            options={'ordering': ['minute'], 'verbose_name': 'minute'},
        ),
        migrations.AlterModelOptions(
            name='moodpoint',
            options={'ordering': ['sequence'], 'verbose_name': 'second of the class mood', 'verbose_name_plural': 'class mood'},
        ),
    ]
