"""moto's private names that the local cloud replaces or reads (moto 5.2.5): a failure here says what has moved.

After an update of moto: compare each function below with what takes its place in the file that is named, then adapt
both. What the stock functions do is described there, next to the reason for which they are replaced.
"""

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap
from moto.cloudwatch.models import CloudWatchBackend, MetricDatum
from moto.core import utils as core_utils
from moto.core.base_backend import AccountSpecificBackend
from moto.core.config import default_user_config
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.events.models import Rule
from moto.sns.models import SNSBackend
from moto.stepfunctions.models import StateMachine, StepFunctionBackend
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser import utils as parser_utils
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker import (  # noqa: E501
    DistributedItemProcessorWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (
    MapRunRecord,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval.resource_eval_s3 import (
    ResourceEvalS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import ResultWriter
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.responses import StepFunctionResponse

STEP_FUNCTIONS, RESOURCES = "local/moto_step_functions.py", "local/moto_resources.py"
LAMBDA, EVENTS, ALERTS, SERVER = "local/moto_lambda.py", "local/events.py", "local/alerts.py", "local/server.py"
RELEASES, UPDATES = "local/moto_releases.py", "local/moto_updates.py"
EXECUTIONS, DYNAMODB = "local/executions.py", "local/moto_dynamodb.py"
CLOUDWATCH, DISTRIBUTED_MAP = "local/moto_cloudwatch.py", "local/moto_distributed_map.py"

# What is replaced: where it is, the parameters that it has in stock moto, and the file that replaces it.
REPLACED: tuple[tuple[Any, str, str, str], ...] = (
    (
        parser_models.StepFunctionsParserBackend,
        "start_execution",
        "self state_machine_arn name execution_input",
        STEP_FUNCTIONS,
    ),
    (Execution, "get_start_execution_details", "self", STEP_FUNCTIONS),
    (BaseExecutionWorkerCommunication, "terminated", "self", STEP_FUNCTIONS),
    (StepFunctionBackend, "describe_state_machine", "self arn", RELEASES),
    (StepFunctionResponse, "_describe_state_machine", "self state_machine_arn", RELEASES),
    (StepFunctionResponse, "describe_execution", "self", STEP_FUNCTIONS),
    (StepFunctionResponse, "stop_execution", "self", STEP_FUNCTIONS),
    (Program, "eval", "self env", STEP_FUNCTIONS),
    (IterationWorker, "_eval_pool", "self job worker_frame", STEP_FUNCTIONS),
    (lambda_eval_utils, "_invoke_lambda_function", "parameters region state_credentials", STEP_FUNCTIONS),
    (StateTaskService, "_after_eval_execution", "self env resource_runtime_part normalised_parameters", STEP_FUNCTIONS),
    (CustomErrorName, "__init__", "self error_name", STEP_FUNCTIONS),
    (WaitFunction, "_wait_interval", "self env wait_seconds", STEP_FUNCTIONS),
    (AmazonStateLanguageParser, "parse", "definition", DISTRIBUTED_MAP),
    (DistributedIterationComponent, "_map_run", "self env eval_input", DISTRIBUTED_MAP),
    (DistributedItemProcessorWorker, "_eval_job", "self env job", DISTRIBUTED_MAP),
    (DistributedItemProcessorWorker, "_eval_pool", "self job worker_frame", DISTRIBUTED_MAP),
    (ResultWriter, "_eval_body", "self env", DISTRIBUTED_MAP),
    (ResourceEvalS3, "_handle_put_object", "env resource_runtime_part state_credentials", DISTRIBUTED_MAP),
    (parsing, "get_model_list", "", RESOURCES),
    (parsing, "resource_class_from_type", "resource_type", RESOURCES),
    (
        parsing,
        "parse_and_create_resource",
        "logical_id resource_json resources_map account_id region_name",
        RESOURCES,
    ),
    (ResourceMap, "update", "self template parameters", UPDATES),
    (parsing, "generate_resource_name", "resource_type stack_name logical_id", RESOURCES),
    (parsing, "random_suffix", "", RESOURCES),
    (EventManager, "_publish_history_event", "self event_id source_event_id event_type", EXECUTIONS),
    (DynamoDBBackend, "transact_write_items", "self transact_items", DYNAMODB),
    (CloudWatchBackend, "get_metric_data", "self queries start_time end_time scan_by", CLOUDWATCH),
    (LambdaFunction, "invoke", "self body request_headers response_headers", LAMBDA),
    (Rule, "send_to_targets", "self original_event transform_input", EVENTS),
    (SNSBackend, "publish", "self message arn phone_number subject", ALERTS),
    (AccountSpecificBackend, "get_session", "", SERVER),
)

# What is read of stock objects without being public: set in the constructor, or a method.
READ: tuple[tuple[type, str, str], ...] = (
    (IterationWorker, "_eval_job", STEP_FUNCTIONS),
    (IterationWorker, "_job_pool", STEP_FUNCTIONS),
    (IterationWorker, "_env", STEP_FUNCTIONS),
    (IterationWorker, "stopped", STEP_FUNCTIONS),
    (JobPool, "next_job", STEP_FUNCTIONS),
    (JobPool, "close_job", STEP_FUNCTIONS),
    (JobPool, "get_closed_jobs", DISTRIBUTED_MAP),
    (JobPool, "get_worker_exception", DISTRIBUTED_MAP),
    (DistributedIterationComponent, "_get_iteration_program", DISTRIBUTED_MAP),
    (DistributedIterationComponent, "_launch_worker", DISTRIBUTED_MAP),
    (DistributedItemProcessorWorker, "_map_run_record", DISTRIBUTED_MAP),
    (DistributedItemProcessorWorker, "_eval_input", DISTRIBUTED_MAP),
    (MapRunRecord, "item_counter", DISTRIBUTED_MAP),
    (MapRunRecord, "execution_counter", DISTRIBUTED_MAP),
    (MapRunRecord, "tolerated_failure_percentage", DISTRIBUTED_MAP),
    (ResourceEvalS3, "_get_s3_client", DISTRIBUTED_MAP),
    (Environment, "map_run_record_pool_manager", DISTRIBUTED_MAP),
    (Environment, "delete_frame", DISTRIBUTED_MAP),
    (Environment, "_frames", STEP_FUNCTIONS),
    (Environment, "event_manager", STEP_FUNCTIONS),
    (Environment, "event_history_context", STEP_FUNCTIONS),
    (Environment, "open_inner_frame", STEP_FUNCTIONS),
    (Environment, "close_frame", STEP_FUNCTIONS),
    (Environment, "is_frame", STEP_FUNCTIONS),
    (Environment, "is_running", STEP_FUNCTIONS),
    (Environment, "set_stop", STEP_FUNCTIONS),
    (Environment, "set_timed_out", STEP_FUNCTIONS),
    (Environment, "program_state", STEP_FUNCTIONS),
    (EventManager, "add_event", STEP_FUNCTIONS),
    (BaseExecutionWorkerCommunication, "_reflect_execution_status", STEP_FUNCTIONS),
    (Execution, "exec_worker", STEP_FUNCTIONS),
    (Execution, "exec_status", STEP_FUNCTIONS),
    (Execution, "stop", STEP_FUNCTIONS),
    (ExecutionWorker, "env", STEP_FUNCTIONS),
    (Environment, "states", STEP_FUNCTIONS),
    (EventManager, "_history_event_list", EXECUTIONS),
    (DynamoDBBackend, "tables", DYNAMODB),
    (DynamoDBBackend, "get_keys_value", DYNAMODB),
    (Table, "items", DYNAMODB),
    (Table, "attribute_keys", DYNAMODB),
    (Execution, "execution_input", EXECUTIONS),
    (Execution, "_get_start_execution_worker", EXECUTIONS),
    (ExecutionWorker, "_get_evaluation_environment", EXECUTIONS),
    (CloudWatchBackend, "metric_data", CLOUDWATCH),
    (MetricDatum, "value", CLOUDWATCH),
    (MetricDatum, "timestamp", CLOUDWATCH),
    (MetricDatum, "dimensions", CLOUDWATCH),
    (Stack, "resource_map", "local/deploy.py"),
    (Stack, "template", "local/deploy.py"),
    (ResourceMap, "_parsed_resources", UPDATES),
    (ResourceMap, "_resource_json_map", UPDATES),
    (ResourceMap, "_template", UPDATES),
    (ResourceMap, "input_parameters", UPDATES),
    (ResourceMap, "load", UPDATES),
    (StateMachine, "publish", RELEASES),
    (StateMachine, "versions", RELEASES),
    (StateMachine, "aliases", RELEASES),
    (LambdaFunction, "code", "local/release_makers.py"),
    (Rule, "event_pattern", EVENTS),
    (Rule, "targets", EVENTS),
    (LambdaFunction, "logs_group_name", LAMBDA),
    (LambdaFunction, "reserved_concurrency", LAMBDA),
)


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def has(kind: type, name: str) -> bool:
    """Whether objects of the class have the name: as a member, or given in a constructor."""
    constructors = [made for base in kind.__mro__ if inspect.isfunction(made := vars(base).get("__init__"))]
    annotated = {attribute for base in kind.__mro__ for attribute in inspect.get_annotations(base)}
    return hasattr(kind, name) or name in annotated or any(name in made.__code__.co_names for made in constructors)


def test_moto_is_the_version_that_the_hooks_were_written_for() -> None:
    assert version("moto") == "5.2.5", "compare the hooks with the new version, then adapt this test"


@pytest.mark.parametrize(
    ("owner", "name", "expected", "file"), REPLACED, ids=[f"{row[3]} {row[1]}" for row in REPLACED]
)
def test_what_is_replaced_is_there_with_the_parameters_that_are_known(
    owner: Any, name: str, expected: str, file: str
) -> None:
    found = getattr(owner, name, None)
    assert found is not None, f"moto has no {owner.__name__}.{name} any more: {file} replaces it"
    known = expected.split()
    assert parameters(found)[: len(known)] == known, f"{owner.__name__}.{name} has other parameters: see {file}"


@pytest.mark.parametrize(("owner", "name", "file"), READ, ids=[f"{row[0].__name__}.{row[1]}" for row in READ])
def test_what_is_read_is_there(owner: type, name: str, file: str) -> None:
    assert has(owner, name), f"objects of moto's {owner.__name__} have no {name} any more: {file} reads it"


@pytest.mark.parametrize(
    ("module", "name"),
    [(boto_client, "boto3"), (retrier_decl, "time"), (core_utils, "Session"), (dynamodb_models, "copy")],
)
def test_a_module_that_is_replaced_where_it_is_used_is_used_there(module: Any, name: str) -> None:
    assert hasattr(module, name), f"{module.__name__} does not use {name} any more"
    assert f"{name}." in inspect.getsource(module) or f"{name}(" in inspect.getsource(module)


def test_the_setting_that_lets_workflows_run_is_there() -> None:
    assert "execute_state_machine" in default_user_config["stepfunctions"]


def test_the_lists_of_types_can_be_forgotten() -> None:
    assert callable(parsing.get_model_map.cache_clear)
    assert callable(parsing.get_name_type_map.cache_clear)
    assert "AWS::CloudFormation::WaitCondition" in parsing.NULL_MODELS


def test_the_interpreters_threads_are_listed() -> None:
    assert isinstance(parser_utils.TMP_THREADS, list)
