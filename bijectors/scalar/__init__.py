"""Maps of one number: affine, NLSq, rational-quadratic spline, mixture of logistics."""

__all__: list[str] = []
