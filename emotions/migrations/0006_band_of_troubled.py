from django.db import migrations, models

# What pages took for that band before: of the four bands (angry, disgust, fear, sad), as if they were independent.
BEFORE = """
UPDATE emotions_moodpoint SET
    troubled_low = greatest(0, share - half), troubled_high = least(1, share + half)
FROM (
    SELECT id AS point, shares[1] + shares[2] + shares[3] + shares[5] AS share,
        sqrt(power(high[1] - low[1], 2) + power(high[2] - low[2], 2)
            + power(high[3] - low[3], 2) + power(high[5] - low[5], 2)) / 2 AS half
    FROM emotions_moodpoint WHERE shares IS NOT NULL
) known WHERE id = point
"""


class Migration(migrations.Migration):
    dependencies = [("emotions", "0005_names_of_lists")]

    operations = [
        migrations.AddField("moodpoint", "troubled_low", models.FloatField(null=True)),
        migrations.AddField("moodpoint", "troubled_high", models.FloatField(null=True)),
        migrations.RunSQL(BEFORE, migrations.RunSQL.noop),
    ]
