"""Several processes and BLAS threads: speed only.

The reading path does not need these modules.
"""
