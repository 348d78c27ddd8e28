"""What is observed at a step: the entries of `tf_latentflow.rows.EMISSIONS`."""
