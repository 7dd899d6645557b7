"""Hold recorded QMP events against the published descriptions of them."""

__version__ = "0.1.0"
