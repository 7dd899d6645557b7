"""A rule base that uses all that QAPI schemas say."""

from qmpcheck.rulebase import (
    SCHEMA,
    Alternate,
    Array,
    Boolean,
    Enum,
    EventRule,
    Integer,
    Marks,
    Member,
    Null,
    Number,
    Object,
    RuleBase,
    String,
)

DEPRECATED = Marks(deprecated=True)
BUILT_IF_VNC = Marks(built_if="CONFIG_VNC")

ADDRESS = Object(
    members=(
        Member(
            "type", Enum(("inet", "unix", "fd", "vsock"), {"vsock": Marks(built_if="CONFIG_LINUX")}), line=3
        ),
        Member("id", String(), optional=True, line=4),
    ),
    discriminator="type",
    branches={
        "inet": Object((Member("host", String(), line=10), Member("port", Integer("uint16"), line=11))),
        "unix": Object((Member("path", String(), line=20, file="qapi/unix.json"),)),
        "vsock": Object((Member("port", Integer("uint32"), line=30),)),
    },
)

INSIDE = Object(
    (Member("mode", Enum(("a", "b"))),),
    discriminator="mode",
    branches={"a": Object((Member("x", Integer("int8")),))},
)

NESTED = Object((Member("kind", Enum(("deep", "flat"))),), discriminator="kind", branches={"deep": INSIDE})

ONLY = Object(
    (Member("only", Enum(("this",))), Member("n", Integer())),
    discriminator="only",
    branches={"this": Object((Member("m", Null()),))},
)

QAPI = RuleBase(
    {
        "CONNECTED": EventRule(Object((Member("address", ADDRESS, line=2),)), line=1, file="qapi/net.json"),
        "UNION": EventRule(ADDRESS, line=1, file="qapi/net.json"),
        "NESTED": EventRule(NESTED),
        "ONE_BRANCH": EventRule(Object((Member("union", ONLY, optional=True),))),
        "INTEGERS": EventRule(
            Object(
                tuple(
                    Member(f"{size}-member", Integer(size))
                    for size in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
                )
            )
        ),
        "ALTERNATES": EventRule(
            Object(
                (
                    Member("name", Alternate((String(), Null()))),
                    Member("limit", Alternate((Integer("uint8"), Boolean(), Array(Integer("int8"))))),
                    Member("where", Alternate((Enum(("here", "there")), ADDRESS))),
                    Member("what", Alternate((Object((Member("n", Number()),)), Number())), optional=True),
                )
            )
        ),
        "ON_SOME_BUILDS": EventRule(
            Object((Member("display", String(), marks=BUILT_IF_VNC),)), marks=BUILT_IF_VNC
        ),
        "OLD_EVENT": EventRule(marks=DEPRECATED, line=40, file="qapi/old.json"),
        "OLD_MEMBER": EventRule(
            Object(
                (Member("new", Integer()), Member("old", Integer(), optional=True, marks=DEPRECATED, line=42))
            ),
            line=41,
            file="qapi/old.json",
        ),
        "NEVER": EventRule(Object((Member("never", Enum(()), optional=True),))),
        "OLD_MANDATORY": EventRule(Object((Member("old", Integer(), marks=DEPRECATED),))),
        "OLD_VALUE": EventRule(Object((Member("lamp", Enum(("on", "dim"), {"dim": DEPRECATED})),))),
    },
    SCHEMA,
)
