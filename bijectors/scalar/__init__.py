"""Maps of one number: affine, NLSq, rational-quadratic spline."""

__all__: list[str] = []
