"""Products of activations and weights with what follows them, in Triton, where that beats PyTorch's.

y = run_product(x, weight, bias, gelu=True, tiling=tiling)
"""
