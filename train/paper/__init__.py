"""The tables and figures of the paper, made by `train.reproduce`."""
