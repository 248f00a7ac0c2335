"""The tables: what goes in comes out equal, and the migration makes the same tables as the code names."""

from dataclasses import replace

import sqlalchemy as sa

from penstock.registry import provisioned_records, records
from penstock.registry.layers import records as layers
from penstock.registry.model import Alias, Function, FunctionVersion, Policy, State, UpdateStatus, UsedLayer
from penstock.store.database import METADATA

TABLES = (
    records.FUNCTIONS, records.VERSIONS, records.ALIASES, records.POLICIES, layers.LAYERS, layers.VERSIONS,
    provisioned_records.PROVISIONED,
)  # fmt: skip


def full_version(scope) -> FunctionVersion:
    return FunctionVersion(
        scope, "orders", "$LATEST", "python3.12", "app.handler", "role", "sha=", 12, "rev", 1.5,
        description="d", timeout_s=30, memory_mb=512, ephemeral_mb=1024, sealed_environment=b"\x00sealed",
        dead_letter_target="arn:dlq", tracing_mode="Active", log_group="/g", log_format="JSON",
        application_log_level="INFO", system_log_level="WARN", kms_key_arn="k", vpc_config={"SubnetIds": ["s"]},
        snap_start="PublishedVersions", other={"FileSystemConfigs": []}, state=State.PENDING, state_reason="why",
        state_reason_code="Creating", update_status=None, unpacked_size=99,
        layers=(UsedLayer("arn:base:1", "one=", 3, 4), UsedLayer("arn:top:2", "two=", 5, 6)),
    )  # fmt: skip


def test_a_version_comes_back_as_it_was(store, scope) -> None:
    version = full_version(scope)
    store.write_now(lambda c: records.write_version(c, version))
    assert store.read_now(lambda c: records.read_version(c, scope, "orders", "$LATEST")) == version
    settled = replace(version, state=State.ACTIVE, update_status=UpdateStatus.SUCCESSFUL)
    assert store.read_now(records.read_unsettled) == [version]
    store.write_now(lambda c: records.write_version(c, settled))
    assert store.read_now(records.read_unsettled) == []
    assert store.read_now(records.read_code_names) == ({"sha="}, {("one=", "two=")})


def test_numbers_sort_as_numbers(store, scope) -> None:
    for number in ("10", "9", "1"):
        version = replace(full_version(scope), version=number)
        store.write_now(lambda c, version=version: records.write_version(c, version))
    found = store.read_now(lambda c: records.read_versions(c, scope, "orders"))
    assert [v.version for v in found] == ["1", "9", "10"]
    assert store.read_now(lambda c: records.read_newest_published(c, scope, "orders")).version == "10"
    for odd in ("0", "01x", "²", "9" * 40, "", "-1"):
        assert store.read_now(lambda c, odd=odd: records.read_version(c, scope, "orders", odd)) is None


def test_functions_aliases_and_policies_come_back_and_go_together(store, scope) -> None:
    function = Function(scope, "orders", 1.0, 3, 5, {"team": "a"})
    alias = Alias(scope, "orders", "live", "1", "rev", "d", {"2": 0.1})
    policy = Policy(scope, "orders", "live", "rev", ({"Sid": "a"},))

    def write(connection):
        records.write_function(connection, function)
        records.write_alias(connection, alias)
        records.write_policy(connection, policy)
        records.write_version(connection, full_version(scope))

    store.write_now(write)
    assert store.read_now(lambda c: records.read_function(c, scope, "orders")) == function
    assert store.read_now(lambda c: records.read_alias(c, scope, "orders", "live")) == alias
    assert store.read_now(lambda c: records.read_policy(c, scope, "orders", "live")) == policy
    store.write_now(lambda c: records.delete_function(c, scope, "orders"))
    for table in TABLES:
        count = sa.select(sa.func.count()).select_from(table)
        assert store.read_now(lambda c, count=count: c.execute(count).scalar()) == 0, table.name


def test_the_migration_makes_what_the_code_names(store) -> None:
    def described(connection):
        inspector = sa.inspect(connection)
        return {
            table.name: (
                {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table.name)},
                inspector.get_pk_constraint(table.name)["constrained_columns"],
                {i["name"]: i["column_names"] for i in inspector.get_indexes(table.name)},
            )
            for table in TABLES
        }

    migrated = store.read_now(described)
    engine = sa.create_engine("sqlite://")
    METADATA.create_all(engine, tables=TABLES)
    with engine.connect() as connection:
        assert described(connection) == migrated
    engine.dispose()
