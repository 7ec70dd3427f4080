"""Fuzzing of the readers: bytes that no one would write must give one of our errors, quickly and in little memory."""
