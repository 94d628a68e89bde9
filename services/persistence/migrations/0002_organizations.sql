CREATE TABLE organizations (
  id         uuid PRIMARY KEY,
  slug       varchar(63) NOT NULL UNIQUE,
  name       varchar(255) NOT NULL,
  version    integer NOT NULL CHECK (version >= 1),
  partition  integer NOT NULL CHECK (partition >= 0),
  settings   jsonb NOT NULL,
  recipients jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- How many organizations lie on each partition: the next one goes to the emptiest. No organization's data, so no policy.
CREATE TABLE partition_load (
  partition     integer PRIMARY KEY,
  organizations integer NOT NULL DEFAULT 0
);

CREATE TABLE api_keys (
  id              uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  hash            char(64) NOT NULL UNIQUE,
  scopes          text[] NOT NULL,
  source          varchar(255),
  created_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  revoked_at      timestamptz
);
CREATE INDEX api_keys_organization ON api_keys (organization_id);

-- Who a token may stand for. version numbers the subject's records on topic access.
CREATE TABLE subjects (
  subject    varchar(255) PRIMARY KEY,
  operator   boolean NOT NULL DEFAULT false,
  version    integer NOT NULL CHECK (version >= 1),
  not_before timestamptz
);

CREATE TABLE memberships (
  subject         varchar(255) NOT NULL REFERENCES subjects (subject) ON DELETE CASCADE,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  role            text NOT NULL CHECK (role IN ('viewer', 'responder', 'author', 'admin', 'auditor')),
  PRIMARY KEY (subject, organization_id)
);
CREATE INDEX memberships_organization ON memberships (organization_id);

-- organization_id null: for the whole installation.
CREATE TABLE rules (
  rule_id         varchar(255) NOT NULL,
  organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  version         integer NOT NULL CHECK (version >= 1),
  hash            char(64) NOT NULL,
  state           text NOT NULL CHECK (state IN ('active', 'paused', 'retired')),
  content         text NOT NULL CHECK (octet_length(content) <= 262144),
  updated_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE NULLS NOT DISTINCT (organization_id, rule_id)
);
