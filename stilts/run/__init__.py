"""A run: its folder, what it was asked, and how it is carried out.

Stages meet on disk only; nothing here loads torch.
"""
