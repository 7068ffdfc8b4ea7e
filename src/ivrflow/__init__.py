"""ivrflow: a telephony IVR and call-flow engine on Asterisk."""
