from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classroom', '0007_room_cameras_and_purge_receipts'),
    ]

    operations = [
        migrations.AddField(
            model_name='erasure',
            name='trace',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
    ]
