from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classroom', '0008_traces_of_erasures'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='checkin',
            options={'ordering': ['at', 'pk'], 'verbose_name': 'word about the pace', 'verbose_name_plural': 'words about the pace'},
        ),
        migrations.AlterModelOptions(
            name='classsession',
            options={'ordering': ['-started_at'], 'permissions': [('see_every_session', 'Can see the sessions of every instructor'), ('close_classsession', 'Can end a session that was forgotten'), ('purge_classsession', 'Can purge what was recorded in a session'), ('export_classsession', 'Can export sessions')], 'verbose_name': 'session'},
        ),
        migrations.AlterModelOptions(
            name='consentevent',
            options={'ordering': ['at', 'pk'], 'verbose_name': 'consent'},
        ),
        migrations.AlterModelOptions(
            name='showntext',
            options={'ordering': ['-first_answered_at'], 'verbose_name': 'text that was shown', 'verbose_name_plural': 'texts that were shown'},
        ),
        migrations.AlterField(
            model_name='classsession',
            name='mode',
            field=models.CharField(choices=[('camera', 'Faces and pace'), ('check_ins', 'Pace only')], default='camera', max_length=10),
        ),
    ]
