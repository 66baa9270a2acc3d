"""The parts of the training program: schedule, average, checkpoint, batches."""
