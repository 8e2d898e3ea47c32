import type { AuthContext } from "./auth-context.ts";
import { asAuthAdmin } from "./auth-database.ts";
import { AuthError, notServed } from "./auth-error.ts";
import { AUDIENCE, findUsers, presentUser } from "./users.ts";

const DEFAULT_PER_PAGE = 50;

/**
 * `GET /admin/users?page=&per_page=`: users by age, newest first, with the `link` and `x-total-count` headers that
 * auth-js pages by.
 */
export async function adminListUsers(auth: AuthContext, request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  for (const name of ["sort", "filter", "cursor"]) {
    if (searchParams.get(name)) throw notServed(`The parameter "${name}"`);
  }
  const page = Math.max(1, positive(searchParams.get("page"), 1));
  const perPage = Math.max(1, positive(searchParams.get("per_page"), DEFAULT_PER_PAGE));
  return asAuthAdmin(auth.sql, async (tx) => {
    const [count] = await tx<{ total: number }[]>`
      select count(*)::int as total from auth.users where aud = ${AUDIENCE}`;
    const users = await findUsers(
      tx,
      tx`u.aud = ${AUDIENCE}`,
      tx`order by u.created_at desc, u.id limit ${perPage} offset ${(page - 1) * perPage}`,
    );
    const total = count?.total ?? 0;
    return Response.json(
      { users: users.map(presentUser), aud: AUDIENCE },
      { headers: { link: links(page, perPage, total), "x-total-count": String(total) } },
    );
  });
}

function positive(value: string | null, fallback: number): number {
  if (!value) return fallback;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new AuthError(400, "validation_failed", `Bad Pagination Parameters: invalid number "${value}"`);
}

function links(page: number, perPage: number, total: number): string {
  const last = Math.ceil(total / perPage);
  const link = (target: number, rel: string) =>
    `</admin/users?page=${target}&per_page=${perPage}>; rel="${rel}"`;
  return [...(last > page ? [link(page + 1, "next")] : []), link(last, "last")].join(", ");
}
