"""Wordings and the course of a call, held to the standard before anybody calls."""
