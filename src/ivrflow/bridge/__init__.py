"""Asterisk: FastAGI and AMI. The `*_protocol` modules have no sockets."""
