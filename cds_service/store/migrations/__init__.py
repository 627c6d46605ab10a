"""Alembic migrations of the store; new ones go to `versions/`, never change an old one."""
