"""The one way to call a network on a batch: its inputs in order or by name, as its ``forward`` takes them."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from core.data.inputs import FieldName, InputField, Inputs, padding_of, zero_inputs
from core.errors import ModelError
from core.models.own.padding import HOW_TO_GET, named, passed
from core.models.own.parameters import Parameters, parameters_of
from core.models.own_step import has_own_step

__all__ = ["arguments_by_name", "arguments_of", "call_network", "calling", "left_out"]

CallArguments = tuple[tuple[Any, ...], dict[str, Any]]
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def call_network(network: nn.Module, inputs: Inputs) -> Any:
    """Call a network on the inputs of a batch: a tensor as it is, several as its ``forward`` takes them.

    - A tuple is passed in order, a dict by name; what ``forward`` does not name is left out.
    - A ``forward`` with one parameter, whose name is none of the data's, gets all of them as they are.
    - ``mask`` and ``lengths`` of padded sequences are passed where ``forward`` has parameters of these names, or of
      others that mean them.
    - A module with the attribute ``takes_batches``, which calls others, gets whatever there is as it is.

    Raises:
        ModelError: its parameters do not fit.
    """
    if isinstance(inputs, Tensor):
        return network(inputs)
    in_order, by_name = arguments_of(network, inputs)
    return network(*in_order, **by_name)


def calling(network: nn.Module, call: Callable[..., Any] | None = None) -> Callable[[Inputs], Any]:
    """Return the function that calls a network as `call_network` does.

    Args:
        call: what is called in place of the network, such as a compiled one, with the same parameters.
    """
    called = network if call is None else call

    def on_inputs(inputs: Inputs) -> Any:
        if isinstance(inputs, Tensor):
            return called(inputs)
        in_order, by_name = arguments_of(network, inputs)
        return called(*in_order, **by_name)

    return on_inputs


def arguments_by_name(network: nn.Module, inputs: Inputs) -> dict[str, Any]:
    """Return the arguments of `call_network` by the names of ``forward``'s parameters, for tools that take names."""
    in_order, by_name = arguments_of(network, inputs)
    return {**dict(zip(parameters_of(network), in_order, strict=False)), **by_name}


def left_out(network: nn.Module, fields: tuple[InputField, ...]) -> tuple[str, ...]:
    """Return what a network does not get of several inputs or of padded sequences, a line each."""
    if not fields or has_own_step(network):
        return ()
    inputs = zero_inputs((), 1, fields)
    assert not isinstance(inputs, Tensor)
    in_order, by_name = arguments_of(network, inputs)
    if any(isinstance(value, dict | tuple) for value in in_order):
        return ()
    notes = []
    unused = [
        str(field.name) for field in fields if isinstance(field.name, str) and field.name not in by_name
    ]
    if unused and not in_order:
        notes.append(f"inputs: forward does not take {', '.join(unused)}, which is left out")
    padding = padding_of(inputs)
    if padding and not (padding | named(parameters_of(network), inputs).keys()) & by_name.keys():
        notes.append(f"inputs: sequences are padded with 0, and forward does not ask where; {HOW_TO_GET}")
    return tuple(notes)


def arguments_of(network: nn.Module, inputs: Inputs) -> CallArguments:
    """Return the positional and the named arguments with which `call_network` calls a network."""
    if isinstance(inputs, Tensor) or getattr(network, "takes_batches", False):
        return (inputs,), {}
    parameters = parameters_of(network)
    held: Mapping[FieldName, Tensor] = inputs if isinstance(inputs, dict) else dict(enumerate(inputs))
    padding = padding_of(inputs)
    in_order = tuple(tensor for name, tensor in held.items() if isinstance(name, int))
    kinds = {each.kind for each in parameters.values()}
    by_name = {
        str(name): tensor
        for name, tensor in held.items()
        if name in parameters
        or (isinstance(name, str) and inspect.Parameter.VAR_KEYWORD in kinds and name not in padding)
    }
    if padding:
        by_name |= named(parameters, inputs)
    known = by_name.keys() | passed(network)
    places = [each for each in parameters.values() if each.kind in POSITIONAL and each.name not in known]
    required = [each.name for each in places if each.default is each.empty]
    fields = [name for name in held if name not in padding]
    if in_order:
        many = inspect.Parameter.VAR_POSITIONAL in kinds
        if len(required) <= len(in_order) and (many or len(in_order) <= len(places)):
            if [*parameters][: len(in_order)] != [each.name for each in places][: len(in_order)]:
                names = [each.name for each in places]
                return (), {**by_name, **dict(zip(names, in_order, strict=False))}
            return in_order, by_name
    elif not required and by_name:
        return (), by_name
    if len(required) == 1 and not any(name in by_name for name in fields):
        if len(fields) == 1:  # one sequence, whatever it is called
            return (held[fields[0]],), by_name
        return (inputs,), {}
    raise _misfit(network, parameters, fields)


def _misfit(network: nn.Module, parameters: Parameters, fields: list[FieldName]) -> ModelError:
    if isinstance(fields[0], int):
        held = f"{len(fields)} inputs in order"
        hint = f"Let it take {len(fields)}, or one, which gets a tuple of them"
    else:
        held = ", ".join(map(str, fields))
        hint = "Name its parameters as the data's inputs, or take one, which gets a dict of them"
    return ModelError(
        f"{type(network).__name__}.forward takes {', '.join(parameters) or 'nothing'}, and the data has {held}",
        hint,
    )
