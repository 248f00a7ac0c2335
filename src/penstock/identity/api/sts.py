"""STS on the wire: who am I, and temporary credentials. Follows
https://docs.aws.amazon.com/STS/latest/APIReference/.

Rule: a request that asks for less than full rights is refused until policies are enforced; granting more is a lie.
"""

from collections.abc import Mapping

from penstock.core.arns import parse_arn
from penstock.core.context import RequestContext
from penstock.core.errors import ApiError
from penstock.gateway.contract import Operation, Params, Result
from penstock.identity.model import Session
from penstock.identity.sessions import Sessions

HOUR = 3600


def operations(sessions: Sessions) -> Mapping[str, Operation]:
    """STS, bound to the sessions of this server."""

    async def assume_role(context: RequestContext, params: Params) -> Result:
        _check_role(context, params)
        duration_s = params.get("DurationSeconds", HOUR)
        if _is_session(context) and duration_s > HOUR:
            raise ApiError(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
                status=400,
            )
        session = sessions.assume(params["RoleArn"], params["RoleSessionName"], duration_s)
        return {
            "Credentials": _credentials(session),
            "AssumedRoleUser": {"AssumedRoleId": session.principal.user_id, "Arn": session.principal.arn},
            "SourceIdentity": params.get("SourceIdentity"),
        }

    async def get_session_token(context: RequestContext, params: Params) -> Result:
        _check_mfa(params)
        if _is_session(context):
            raise ApiError("AccessDenied", "Cannot call GetSessionToken with session credentials", status=403)
        duration_s = params.get("DurationSeconds", 12 * HOUR)
        return {"Credentials": _credentials(sessions.continue_as(context.principal, context.scope.account, duration_s))}

    return {
        "GetCallerIdentity": get_caller_identity,
        "AssumeRole": assume_role,
        "GetSessionToken": get_session_token,
    }


async def get_caller_identity(context: RequestContext, _: Params) -> Result:
    """The caller as the signature proved it."""
    return {
        "UserId": context.principal.user_id,
        "Account": context.scope.account,
        "Arn": context.principal.arn,
    }


def _credentials(session: Session) -> Result:
    return {
        "AccessKeyId": session.access_key,
        "SecretAccessKey": session.secret_key,
        "SessionToken": session.token,
        "Expiration": session.expires_at,
    }


def _is_session(context: RequestContext) -> bool:
    return context.principal.access_key.startswith("ASIA")


def _check_role(context: RequestContext, params: Params) -> None:
    role = parse_arn(params["RoleArn"])
    if role is None or role.service != "iam" or not role.resource.startswith("role/") or role.resource.endswith("/"):
        raise ApiError(
            "ValidationError",
            f"{params['RoleArn']} is invalid: a role's ARN reads arn:aws:iam::ACCOUNT:role/NAME",
            status=400,
        )
    if role.account != context.scope.account:
        raise ApiError(
            "AccessDenied",
            f"User: {context.principal.arn} is not authorized to perform: sts:AssumeRole on resource: "
            f"{params['RoleArn']}, because this server holds account {context.scope.account} only",
            status=403,
        )
    _check_mfa(params)
    if params.get("Policy") or params.get("PolicyArns"):
        raise ApiError(
            "ValidationError",
            "Session policies are not enforced by this Penstock yet, so it does not accept them: leave out Policy "
            "and PolicyArns, and know that the session may do everything",
            status=400,
        )


def _check_mfa(params: Params) -> None:
    if params.get("SerialNumber") or params.get("TokenCode"):
        raise ApiError("AccessDenied", "MultiFactorAuthentication failed: this account has no MFA devices", status=403)
