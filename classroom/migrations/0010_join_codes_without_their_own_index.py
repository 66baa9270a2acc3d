import classroom.codes
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classroom', '0009_names_of_lists'),
    ]

    # Django drops every index of the column alone, that of the constraint among them: it is made anew afterwards.
    operations = [
        migrations.RemoveConstraint(
            model_name='classsession',
            name='join_code_unique_while_live',
        ),
        migrations.AlterField(
            model_name='classsession',
            name='join_code',
            field=models.CharField(default=classroom.codes.new_join_code, max_length=12),
        ),
        migrations.AddConstraint(
            model_name='classsession',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('join_code',), name='join_code_unique_while_live'),
        ),
    ]
