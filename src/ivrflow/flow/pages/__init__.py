"""Pages and files written from the declarations: the reference, drawings, JSON Schemas."""
