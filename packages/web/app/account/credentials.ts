/** What a person signs in or up with. */
export interface Credentials {
  email: string;
  password: string;
}

/** What is wrong with what was typed, a text a field. */
export type CredentialErrors = Partial<Credentials>;

/** Checks email and password before the server is asked; its own rules may be stricter. */
export function checkCredentials({ email, password }: Credentials): CredentialErrors {
  const errors: CredentialErrors = {};
  if (email.trim() === "") errors.email = "Please type your email address.";
  else if (!/^[^\s@]+@[^\s@]+$/.test(email.trim()))
    errors.email = "That doesn't look like an email address yet.";
  if (password === "") errors.password = "Please type a password.";
  return errors;
}
