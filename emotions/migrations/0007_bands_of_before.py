from django.db import migrations

SLICE = 50_000
"""Points in one statement: classes that run meanwhile wait for none of it."""
# What pages took for that band before: of the four bands (angry, disgust, fear, sad), as if they were independent.
BEFORE = """
UPDATE emotions_moodpoint SET
    troubled_low = greatest(0, least(1, share - half)), troubled_high = greatest(0, least(1, share + half))
FROM (
    SELECT id AS point, shares[1] + shares[2] + shares[3] + shares[5] AS share,
        sqrt(power(high[1] - low[1], 2) + power(high[2] - low[2], 2)
            + power(high[3] - low[3], 2) + power(high[5] - low[5], 2)) / 2 AS half
    FROM emotions_moodpoint WHERE id >= %s AND id < %s AND shares IS NOT NULL AND troubled_low IS NULL
) known WHERE id = point
"""


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM emotions_moodpoint WHERE shares IS NOT NULL")
        first, last = cursor.fetchone()
        for start in range(first, last + 1, SLICE) if first is not None else ():
            cursor.execute(BEFORE, [start, start + SLICE])


class Migration(migrations.Migration):
    dependencies = [("emotions", "0006_band_of_troubled")]
    atomic = False

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
