"""Grids of DVC experiments, on this machine or on a Dask cluster."""
