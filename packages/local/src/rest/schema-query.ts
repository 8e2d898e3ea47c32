import type postgres from "postgres";
import { arrayLiteral, UNTYPED } from "./sql.ts";

/** What the REST service knows of the database, straight from the catalogue. */
export interface Catalogue {
  relations: CatalogueRelation[];
  foreignKeys: CatalogueForeignKey[];
  routines: Routine[];
  computed: { name: string; schema: string; relation: string }[];
  types: { schema: string; name: string }[];
  roles: { name: string; settings: Record<string, string> }[];
  /** Settings of the role that PostgREST logs in with, `authenticator`. */
  session: Record<string, string>;
}

/** A column of a table or view. */
export interface Column {
  name: string;
  /** SQL type, qualified. */
  type: string;
  /** Type below the domain, qualified: `json`, `jsonb` and `tsvector` matter. */
  base: string;
  /** SQL of the default, qualified. */
  default: string | null;
}

/** A table or view of an exposed schema. */
export interface CatalogueRelation {
  schema: string;
  name: string;
  isView: boolean;
  primaryKey: string[];
  /** A column is of a domain with a cast of its own from or to JSON or text ("domain representations"). */
  isRepresented: boolean;
  columns: Column[];
}

/** A foreign key between two of them. */
export interface CatalogueForeignKey {
  name: string;
  schema: string;
  relation: string;
  columns: string[];
  foreignSchema: string;
  foreignRelation: string;
  foreignColumns: string[];
  /** The columns are the whole of a primary key or unique constraint. */
  isUnique: boolean;
  /** All columns belong to the primary key: the table may join two others. */
  inPrimaryKey: boolean;
}

/** An argument of a function. */
export interface Argument {
  /** Empty when it has none. */
  name: string;
  type: string;
  required: boolean;
  variadic: boolean;
}

/** A function that may be called. */
export interface Routine {
  schema: string;
  name: string;
  args: Argument[];
  isVolatile: boolean;
  returnsSet: boolean;
  /** Rows with columns, of a table, a type or OUT arguments. */
  returnsRows: boolean;
  returnsVoid: boolean;
  /** The return type is a domain named after a media type ("media type handlers"). */
  returnsMedia: boolean;
  /** The table or view whose rows it returns. */
  relation: { schema: string; name: string } | null;
  /** `set statement_timeout` of the function itself. */
  statementTimeout: string | null;
}

const RELATIONS = `
  select coalesce(json_agg(json_build_object(
    'schema', n.nspname, 'name', c.relname, 'isView', c.relkind in ('v', 'm'),
    'primaryKey', coalesce((
      select json_agg(a.attname order by a.attname) from pg_constraint p
      join pg_attribute a on a.attrelid = p.conrelid and a.attnum = any(p.conkey)
      where p.conrelid = c.oid and p.contype = 'p'), '[]'),
    'isRepresented', exists (
      select from pg_attribute a join pg_type t on t.oid = a.atttypid and t.typtype = 'd'
      join pg_cast x on x.castcontext = 'i' and x.castmethod = 'f'
        and (x.castsource = t.oid and x.casttarget in ('json'::regtype, 'text'::regtype)
          or x.casttarget = t.oid and x.castsource in ('json'::regtype, 'text'::regtype))
      where a.attrelid = c.oid and a.attnum > 0),
    'columns', coalesce((
      select json_agg(json_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'base', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
        'default', case
          when t.typbasetype <> 0 and d.adbin is null then pg_get_expr(t.typdefaultbin, 0)
          when a.attidentity = 'd' then format('nextval(%L)', s.objid::regclass)
          when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end) order by a.attnum)
      from pg_attribute a join pg_type t on t.oid = a.atttypid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join pg_depend s on a.attidentity = 'd' and s.classid = 'pg_class'::regclass and s.deptype = 'i'
        and s.refclassid = 'pg_class'::regclass and s.refobjid = a.attrelid and s.refobjsubid = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'))), '[]')
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition and n.nspname = any($1::text[])`;

const FOREIGN_KEYS = `
  select coalesce(json_agg(json_build_object(
    'name', k.conname, 'schema', n.nspname, 'relation', c.relname, 'columns', l.columns,
    'foreignSchema', fn.nspname, 'foreignRelation', fc.relname, 'foreignColumns', l.foreign_columns,
    'isUnique', exists (select from pg_constraint u where u.conrelid = k.conrelid and u.contype in ('p', 'u')
      and u.conkey @> k.conkey and u.conkey <@ k.conkey),
    'inPrimaryKey', exists (select from pg_constraint p where p.conrelid = k.conrelid and p.contype = 'p'
      and p.conkey @> k.conkey)) order by c.relname, k.conname), '[]')
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_class fc on fc.oid = k.confrelid join pg_namespace fn on fn.oid = fc.relnamespace
  cross join lateral (
    select json_agg(a.attname order by i.position) as columns, json_agg(f.attname order by i.position) as foreign_columns
    from unnest(k.conkey, k.confkey) with ordinality as i(attnum, foreign_attnum, position)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = i.attnum
    join pg_attribute f on f.attrelid = k.confrelid and f.attnum = i.foreign_attnum) l
  where k.contype = 'f' and k.conparentid = 0`;

/** Only functions that can be called: every argument named, or a single one of json without a name. */
const ROUTINES = `
  select coalesce(json_agg(json_build_object(
    'schema', n.nspname, 'name', p.proname, 'args', coalesce(l.args, '[]'), 'isVolatile', p.provolatile = 'v',
    'returnsSet', p.proretset, 'returnsRows', t.typtype = 'c' or coalesce(p.proargmodes && '{o,b,t}', false),
    'returnsVoid', p.prorettype = 'void'::regtype, 'returnsMedia', rt.typtype = 'd' and rt.typname like '%/%',
    'relation', (select json_build_object('schema', rn.nspname, 'name', r.relname)
      from pg_class r join pg_namespace rn on rn.oid = r.relnamespace
      where r.oid = t.typrelid and r.relkind in ('r', 'v', 'm', 'f', 'p')),
    'statementTimeout', (select split_part(c.setting, '=', 2) from unnest(p.proconfig) as c(setting)
      where c.setting like 'statement_timeout=%')) order by p.proname, p.pronargs, p.oid), '[]')
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  join pg_type rt on rt.oid = p.prorettype
  join pg_type t on t.oid = coalesce(nullif(rt.typbasetype, 0), rt.oid)
  cross join lateral (
    select json_agg(json_build_object(
      'name', i.name, 'type', format_type(i.type, -1), 'required', i.position <= p.pronargs - p.pronargdefaults,
      'variadic', i.mode = 'v') order by i.position) as args,
      coalesce(bool_and(i.name <> ''), true)
        or count(*) = 1 and bool_and(i.type in ('json'::regtype, 'jsonb'::regtype)) as callable
    from (
      select coalesce(p.proargnames[a.ordinal], '') as name, a.type, coalesce(a.mode, 'i') as mode,
        row_number() over (order by a.ordinal) as position
      from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
        with ordinality as a(type, mode, ordinal)
      where coalesce(a.mode, 'i') in ('i', 'b', 'v')) i) l
  where p.prokind = 'f' and p.prorettype <> 'trigger'::regtype and l.callable and n.nspname = any($1::text[])`;

const COMPUTED = `
  select coalesce(json_agg(json_build_object('name', p.proname, 'schema', an.nspname, 'relation', ac.relname)), '[]')
  from pg_proc p
  join pg_class ac on ac.reltype = p.proargtypes[0] and ac.relkind in ('r', 'v', 'm', 'f', 'p')
  join pg_namespace an on an.oid = ac.relnamespace
  join pg_class rc on rc.reltype = p.prorettype and rc.relkind in ('r', 'v', 'm', 'f', 'p')
  where p.pronargs = 1 and an.nspname = any($1::text[])`;

const TYPES = `
  select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', t.typname)), '[]')
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  where t.typtype <> 'p' and (c.oid is null or c.relkind = 'c')
    and n.nspname = any($1::text[] || '{pg_catalog,public,extensions}')`;

/** Settings of a role, those that any user may change; a database's own settings are in force by the login. */
const SETTINGS = `
  select coalesce(json_object_agg(s.name, substr(c.setting, strpos(c.setting, '=') + 1)), '{}')
  from unnest(r.rolconfig) as c(setting)
  join pg_settings s on s.name = split_part(c.setting, '=', 1) and s.context = 'user'
  where s.name <> 'default_transaction_isolation'`;

const CATALOGUE = `
  select json_build_object(
    'relations', (${RELATIONS}), 'foreignKeys', (${FOREIGN_KEYS}), 'routines', (${ROUTINES}),
    'computed', (${COMPUTED}), 'types', (${TYPES}),
    'roles', (select coalesce(json_agg(json_build_object('name', r.rolname, 'settings', (${SETTINGS}))), '[]')
      from pg_auth_members m join pg_roles r on r.oid = m.roleid where m.member = 'authenticator'::regrole),
    'session', (select (${SETTINGS}) from pg_roles r where r.rolname = 'authenticator'))::text as catalogue`;

/** Reads the catalogue as far as `schemas`, those exposed, are concerned. */
export async function readCatalogue(sql: postgres.Sql, schemas: string[]): Promise<Catalogue> {
  const rows = await sql.begin("read only", async (tx) => {
    // Without a path Postgres qualifies every name it renders.
    await tx`set local search_path = ''`;
    return tx.unsafe<{ catalogue: string }[]>(CATALOGUE, [tx.typed(arrayLiteral(schemas), UNTYPED)]);
  });
  return JSON.parse(rows[0]?.catalogue ?? "") as Catalogue;
}
