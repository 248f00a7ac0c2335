"""How a deployment reaches its hook functions: the same road as any caller's Invoke. Rule: every end has words."""

from penstock.core.arns import function_arn
from penstock.core.clock import Clock
from penstock.core.context import Principal, RequestContext, Scope
from penstock.core.errors import ApiError
from penstock.events.invoke import Call, Invoker
from penstock.execution.model import Outcome, OutcomeKind
from penstock.registry.reference import read_reference
from penstock.release.ports import HookInvocation, HookResult

CODEDEPLOY = Principal(arn="codedeploy.amazonaws.com", user_id="codedeploy", access_key="")
UNREADY = "ResourceConflictException"


class HookRoad:
    """Fills `release.ports.HookInvoker` with `events`."""

    def __init__(self, invoker: Invoker, clock: Clock):
        """`invoker` is the one behind the wire operation."""
        self._invoker = invoker
        self._clock = clock

    async def invoke_hook(self, scope: Scope, function_ref: str, payload: bytes, request_id: str) -> HookInvocation:
        """Invoke and wait; see `HookInvoker`."""
        context = RequestContext(request_id, scope, CODEDEPLOY, "lambda", "Invoke", self._clock.now())
        try:
            reference = read_reference(context, function_ref)
            arn = function_arn(scope, reference.name, reference.qualifier)
            call = Call(request_id, scope, reference.name, reference.qualifier, payload, arn)
            return _ended(function_ref, await self._invoker.run(call))
        except ApiError as refusal:
            if refusal.code == UNREADY:  # just being updated: worth another try within the hook's hour
                return HookInvocation(HookResult.THROTTLED, refusal.message)
            missing = refusal.code == "ResourceNotFoundException"
            return HookInvocation(HookResult.NOT_FOUND if missing else HookResult.CANNOT_INVOKE, refusal.message)


def _ended(function_ref: str, outcome: Outcome) -> HookInvocation:
    if outcome.kind is OutcomeKind.SUCCEEDED:
        return HookInvocation(HookResult.OK)
    if outcome.kind is OutcomeKind.THROTTLED:
        return HookInvocation(HookResult.THROTTLED, f"{function_ref} was throttled: {outcome.reason}")
    if outcome.kind is OutcomeKind.PLATFORM_ERROR:
        return HookInvocation(HookResult.CANNOT_INVOKE, f"{function_ref} could not be run: {outcome.reason}")
    text = outcome.payload[:500].decode("utf-8", "replace")
    return HookInvocation(HookResult.FUNCTION_ERROR, f"{function_ref} raised an error: {text}")
