from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("emotions", "0005_names_of_lists")]

    operations = [
        migrations.AddField("moodpoint", "troubled_low", models.FloatField(null=True)),
        migrations.AddField("moodpoint", "troubled_high", models.FloatField(null=True)),
    ]
