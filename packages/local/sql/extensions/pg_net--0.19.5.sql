-- Stand-in for pg_net 0.19.5 (github.com/supabase/pg_net): the same tables, functions, checks and grants.
-- Requests are sent after commit by Podbase's net worker, which listens on channel `pg_net`.
do $$
begin
  if to_regnamespace('net') is null then
    create schema net;
  end if;
end
$$;

create domain net.http_method as text
  check (lower(value) in ('get', 'post', 'delete'));

-- Unlogged as the real ones: a crash of Postgres empties both.
create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out bool,
  error_msg text,
  created timestamptz not null default now()
);
create index on net._http_response (created);

create function net._urlencode_string(string varchar) returns text
  language sql immutable parallel safe set search_path = '' as
$$
  select coalesce(
    string_agg(
      case
        when letter ~ '^[A-Za-z0-9._~-]$' then letter
        else upper(regexp_replace(encode(convert_to(letter, 'UTF8'), 'hex'), '(..)', '%\1', 'g'))
      end, '' order by position
    ), '')
  from regexp_split_to_table(string, '') with ordinality as letters(letter, position)
$$;

create function net._encode_url_with_params_array(url text, params_array text[]) returns text
  language sql immutable parallel safe set search_path = '' as
$$
  select case
    when cardinality(params_array) = 0 then url
    else url || case when strpos(url, '?') > 0 then '&' else '?' end || array_to_string(params_array, '&')
  end
$$;

-- A notification is delivered on commit only, so a rolled back request is never sent.
create function net.wake() returns void
  language sql set search_path = '' as
$$ select pg_notify('pg_net', '') $$;

create function net.check_worker_is_up() returns void
  language plpgsql set search_path = '' as
$$
begin
  if not exists (select from pg_catalog.pg_stat_activity where application_name = 'pg_net worker') then
    raise exception 'the pg_net background worker is not up'
      using detail = 'the pg_net background worker is down due to an internal error and cannot process requests',
            hint = 'the local stack runs the worker: is it started?';
  end if;
end
$$;

create function net.wait_until_running() returns void
  language plpgsql set search_path = '' as
$$
begin
  while not exists (select from pg_catalog.pg_stat_activity where application_name = 'pg_net worker') loop
    perform pg_sleep(0.05);
    perform pg_stat_clear_snapshot();
  end loop;
end
$$;

create function net.worker_restart() returns bool
  language plpgsql set search_path = '' as
$$
begin
  perform net.wake();
  return true;
end
$$;

create function net._params_array(params jsonb) returns text[]
  language sql immutable parallel safe set search_path = '' as
$$
  select coalesce(array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}')
  from jsonb_each_text(params)
$$;

create function net.http_get(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds int default 5000
) returns bigint
  language plpgsql as
$$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
  values (
    'GET', net._encode_url_with_params_array(url, net._params_array(params)), headers, timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create function net.http_post(
  url text,
  body jsonb default '{}'::jsonb,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{"Content-Type": "application/json"}'::jsonb,
  timeout_milliseconds int default 5000
) returns bigint
  language plpgsql as
$$
declare
  request_id bigint;
  content_type text;
begin
  select header.value into content_type
  from jsonb_each_text(coalesce(headers, '{}'::jsonb)) as header
  where lower(header.key) = 'content-type'
  limit 1;
  if content_type is null then
    headers := headers || '{"Content-Type": "application/json"}'::jsonb;
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;

  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'POST', net._encode_url_with_params_array(url, net._params_array(params)), headers,
    convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds int default 5000,
  body jsonb default null
) returns bigint
  language plpgsql as
$$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'DELETE', net._encode_url_with_params_array(url, net._params_array(params)), headers,
    convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (status net.request_status, message text, response net.http_response);

create function net._await_response(request_id bigint) returns bool
  language plpgsql as
$$
begin
  while not exists (select from net._http_response where id = request_id) loop
    perform pg_sleep(0.05);
  end loop;
  return true;
end
$$;

create function net._http_collect_response(request_id bigint, async bool default true)
  returns net.http_response_result
  language plpgsql as
$$
declare
  found_response net._http_response;
begin
  if not async then
    perform net._await_response(request_id);
  end if;
  select * into found_response from net._http_response where id = request_id;
  if found_response.id is null or found_response.error_msg is not null then
    return ('ERROR', coalesce(found_response.error_msg, 'request matching request_id not found'), null)
      ::net.http_response_result;
  end if;
  return (
    'SUCCESS', 'ok',
    (found_response.status_code, found_response.headers, found_response.content)::net.http_response
  )::net.http_response_result;
end
$$;

grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
