"""What the models cost on this machine, beside the unit of one matrix product."""

__all__: list[str] = []
