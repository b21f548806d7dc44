"""CloudFormation types that moto lacks or makes half: made through the service's own API from the same properties.

The types themselves are in `resource_makers`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.common_models import CloudFormationModel

from local.account import Clients
from local.failures import DeployError
from local.moto_updates import made_once, update_stack
from local.patching import replaced


@dataclass(frozen=True)
class Made:
    """A resource that exists: what Ref and Fn::GetAtt give."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Wanted:
    """A resource as the template wants it; whoever makes it takes its properties, and what is left is an error."""

    def __init__(self, name: str, logical_id: str, properties: Mapping[str, Any], clients: Clients) -> None:
        self.name = name  # given in the template, else made up as CloudFormation does
        self.logical_id = logical_id
        self._left = dict(properties)
        self._clients = clients

    def take(self, name: str, default: Any = None) -> Any:
        """The property, which counts as made from now on."""
        return self._left.pop(name, default)

    def take_all(self) -> dict[str, Any]:
        """Every property that is left."""
        taken, self._left = self._left, {}
        return taken

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call the service's API; numbers, texts and truth values are converted to what the API expects."""
        client = self._clients.get(service)
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
        result: dict[str, Any] = getattr(client, operation)(**fitted(parameters, shape))
        return result

    def refuse_rest(self) -> None:
        """DeployError if a property was not taken: it would silently be missing here."""
        if self._left:
            names = ", ".join(sorted(self._left))
            raise DeployError(f"the local cloud does not know {names}")


class _ResourceError(DeployError):
    """Names the resource that could not be made; what needs that resource passes it on as it is."""


type Maker = Callable[[Wanted], Made]
type Updater = Callable[[Wanted, Made], Made]
MAKERS: dict[str, tuple[str, Maker]] = {}  # by type: the property that names the resource, and who makes it
UPDATERS: dict[str, Updater] = {}  # by type: who changes a resource that a later deployment wants different


def makes(kind: str, name: str = "", *, again: bool = False) -> Callable[[Maker], Maker]:
    """Register the decorated function as the maker of a type; `name` is its property with the resource's name.

    With `again` a resource that a later deployment wants different is made by the same function once more.
    """

    def register(maker: Maker) -> Maker:
        MAKERS[kind] = (name, maker)
        if again:
            UPDATERS[kind] = lambda wanted, _: maker(wanted)
        return maker

    return register


def updates(kind: str) -> Callable[[Updater], Updater]:
    """Register the decorated function as the one that changes a resource of a type that is there already."""

    def register(updater: Updater) -> Updater:
        UPDATERS[kind] = updater
        return updater

    return register


def fitted(value: Any, shape: Any) -> Any:  # noqa: PLR0911 one return for each kind
    """`value` as botocore's `shape` wants it: CloudFormation gives numbers as texts, and the reverse."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {
                name: fitted(part, shape.members[name]) if name in shape.members else part
                for name, part in value.items()
            }
        case "map" if isinstance(value, Mapping):
            return {name: fitted(part, shape.value) for name, part in value.items()}
        case "list" if isinstance(value, list):
            return [fitted(part, shape.member) for part in value]
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean" if isinstance(value, str):
            return value.lower() == "true"
        case "string" if isinstance(value, bool):
            return str(value).lower()
        case "string" if isinstance(value, int | float):
            return str(value)
    return value


def lower_first(value: Any) -> Any:
    """CloudFormation's names as those APIs spell them that begin with a small letter."""
    if isinstance(value, Mapping):
        return {name[0].lower() + name[1:]: lower_first(part) for name, part in value.items()}
    return [lower_first(part) for part in value] if isinstance(value, list) else value


class LocalResource(CloudFormationModel):  # type: ignore[misc]
    """Base of the types made here; each has a subclass with its own name, maker and clients."""

    kind: str
    name_property: str
    maker: Maker
    clients: Clients

    def __init__(self, made: Made) -> None:
        self._made = made

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self._made.ref

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003 moto's signature
        """Whether there is such an attribute is told when it is asked for."""
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What Fn::GetAtt gives."""
        if attribute_name not in self._made.attributes:
            raise UnformattedGetAttTemplateException
        return self._made.attributes[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Mapping[str, Any], *_: str, **known: str
    ) -> "LocalResource":
        """Make the resource."""
        wanted = Wanted(resource_name, known["LogicalId"], cloudformation_json.get("Properties", {}), cls.clients)
        made = cls.maker(wanted)
        wanted.refuse_rest()
        return cls(made)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "LocalResource",
        new_resource_name: str,
        cloudformation_json: Mapping[str, Any],
        **_: str,
    ) -> "LocalResource":
        """Change the resource; DeployError if nobody knows how."""
        updater = UPDATERS.get(cls.kind)
        if updater is None:
            raise DeployError(f"the local cloud does not change a {cls.kind} that is there already: open a new one")
        properties = cloudformation_json.get("Properties", {})
        wanted = Wanted(new_resource_name, str(original_resource.logical_resource_id), properties, cls.clients)
        made = updater(wanted, original_resource._made)
        wanted.refuse_rest()
        return cls(made)

    @classmethod
    def delete_from_cloudformation_json(cls, *_: Any, **__: Any) -> None:
        """Everything is forgotten when the local cloud closes."""


def _model(kind: str, name_property: str, maker: Maker, clients: Clients) -> type[LocalResource]:
    members = {
        "kind": kind,
        "name_property": name_property,
        "maker": staticmethod(maker),
        "clients": clients,
        "cloudformation_type": staticmethod(lambda: kind),
        "cloudformation_name_type": staticmethod(lambda: name_property),
    }
    return type(kind.replace("::", ""), (LocalResource,), members)


@contextmanager
def resources_are_made(clients: Clients) -> Iterator[None]:
    """Moto's CloudFormation knows the types in MAKERS inside the block, and prefers them to its own."""
    ours: list[type[CloudFormationModel]] = [
        _model(kind, name, maker, clients) for kind, (name, maker) in MAKERS.items()
    ]
    stock = [model for model in parsing.get_model_list() if model.cloudformation_type() not in MAKERS]
    with (
        replaced(parsing, "get_model_list", lambda: stock + ours),
        replaced(parsing, "resource_class_from_type", _class_or_refusal(parsing.resource_class_from_type)),
        replaced(parsing, "parse_and_create_resource", _create_or_say_which(made_once(parsing))),
        replaced(parsing.ResourceMap, "update", update_stack),
        replaced(parsing, "generate_resource_name", _name_that_stays(parsing.generate_resource_name)),
    ):
        _forget_types()
        try:
            yield
        finally:
            _forget_types()


def _class_or_refusal(find: Callable[[str], Any]) -> Callable[[str], Any]:
    """Stock only warns of a type that it does not know, and what refers to the resource then gets None."""

    def class_of(kind: str) -> Any:
        found = parsing.get_model_map()[kind] if kind in MAKERS else find(kind)  # of ours, custom resources too
        if found is None and kind not in parsing.NULL_MODELS:
            raise DeployError("this type is unknown here: teach local/resource_makers.py to make it")
        return found

    return class_of


def _create_or_say_which(create: Callable[..., Any]) -> Callable[..., Any]:
    """Stock passes on an error without the name of its resource."""

    def create_resource(logical_id: str, resource_json: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
        try:
            return create(logical_id, resource_json, *rest, **named)
        except _ResourceError:
            raise
        except Exception as error:
            words = error if isinstance(error, DeployError | ClientError | BotoCoreError) else repr(error)
            raise _ResourceError(f"{logical_id} ({resource_json['Type']}) could not be made: {words}") from error

    return create_resource


def _name_that_stays(generate: Callable[[str, str, str], str]) -> Callable[[str, str, str], str]:
    """A name made up for a resource is the same each time, so that what is kept of it finds it: stock draws letters."""

    def name_of(kind: str, stack: str, logical_id: str) -> str:
        letters = sha256(f"{stack}/{logical_id}".encode()).hexdigest()[:12].upper()
        with replaced(parsing, "random_suffix", lambda: letters):
            return generate(kind, stack, logical_id)

    return name_of


def _forget_types() -> None:
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
