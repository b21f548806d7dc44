"""A second deployment of a stack: what is wanted as it was stays, what differs is changed, in dependency order.

Stock (moto 5.2.5) compares templates before references are resolved, and makes new resources before it changes those
that they refer to: a version would be published of the code before.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudformation.parsing import ResourceMap

from local.failures import DeployError

# What a template may drop: the resource stays, because it is retained, and nobody refers to it any more.
_RETAINED = ("AWS::Lambda::Version", "AWS::Lambda::LayerVersion", "AWS::StepFunctions::StateMachineVersion")
_MADE = "_made_by_logical_id"  # of a ResourceMap: the resolved wish and the resource, by logical id


def made_once(parsing: Any) -> Callable[..., Any]:
    """Makes a resource, changes it, or leaves it as it is, depending on what an earlier deployment made."""
    create = parsing.parse_and_create_resource

    def create_resource(
        logical_id: str, resource_json: Mapping[str, Any], resources: ResourceMap, *rest: Any, **named: Any
    ) -> Any:
        condition = resource_json.get("Condition")
        if condition and not resources.lazy_condition_map[condition]:
            return None
        kind, wish, name = parsing.parse_resource_and_generate_name(logical_id, copy.deepcopy(resource_json), resources)
        made = resources.__dict__.setdefault(_MADE, {})
        wished, resource = made.get(logical_id, (None, None))
        if resource is None:
            resource = create(logical_id, resource_json, resources, *rest, **named)
        elif wish != wished:
            resource = _changed(kind, wish, name, resource, resources)
        made[logical_id] = (wish, resource)
        return resource

    return create_resource


def _changed(kind: Any, wish: Mapping[str, Any], name: str, resource: Any, resources: ResourceMap) -> Any:
    changed = kind.update_from_cloudformation_json(
        original_resource=resource,
        new_resource_name=name,
        cloudformation_json=wish,
        account_id=resources._account_id,
        region_name=resources._region_name,
    )
    if changed is None:
        raise DeployError(f"moto does not change a {wish['Type']} that is there already")
    changed.cf_resource_type, changed.logical_resource_id = wish["Type"], resource.logical_resource_id
    return changed


def update_stack(self: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Deploy `template` over what is there; if that fails everything is changed back, as CloudFormation does."""
    before = self._template, dict(self.input_parameters)
    try:
        _deploy(self, template, parameters or before[1])
    except Exception:
        _deploy(self, *before)
        raise
    made = self.__dict__[_MADE]
    for logical_id in made.keys() - template["Resources"].keys():
        del made[logical_id]  # if it is wanted again it is made again


def _deploy(resources: ResourceMap, template: dict[str, Any], parameters: dict[str, Any]) -> None:
    dropped = resources._resource_json_map.keys() - template["Resources"].keys()
    for logical_id in sorted(dropped):
        if (kind := resources._resource_json_map[logical_id]["Type"]) not in _RETAINED:
            raise DeployError(f"{logical_id}: the local cloud does not remove a {kind} from a stack: open a new one")
    for logical_id in resources._resource_json_map:
        resources._parsed_resources.pop(logical_id, None)
    resources._template, resources.input_parameters = template, parameters
    resources._resource_json_map = template["Resources"]
    resources.load()
    for logical_id in template["Resources"]:
        resources[logical_id]
