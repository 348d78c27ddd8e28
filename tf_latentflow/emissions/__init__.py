"""What is observed at a step: the entries of `tf_latentflow.config.choices.EMISSIONS`."""
