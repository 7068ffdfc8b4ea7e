"""A real SIP/RTP caller for testers."""
