from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('emotions', '0003_room_readings'),
    ]

    operations = [
        migrations.AddField(
            model_name='moodpoint',
            name='model_version',
            field=models.CharField(db_default='', default='', max_length=40),
        ),
    ]
