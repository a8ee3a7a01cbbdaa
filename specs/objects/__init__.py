"""Sequential specifications of shared objects, one file per object."""

from .cas_register import CasRegister
from .kv import KeyValue
from .register import Register
from .registry import MODELS, Guess, guess_model, model_named

__all__ = ["MODELS", "CasRegister", "Guess", "KeyValue", "Register", "guess_model", "model_named"]
