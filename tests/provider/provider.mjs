// A real OpenID Connect provider for the suite: `node provider.mjs '{"port": 1, "redirect_uri": "…"}'`.
//
// It serves the library's own forms, where any password is right. `PUT /-/people/NAME` says who somebody is, `POST /-/keys`
// makes it sign with fresh keys from now on. It says `ready` on standard output, and ends when standard input does.
import { createServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const settings = { algorithm: "RS256", claims_in_token: false, secret: "a secret of the client", ...JSON.parse(process.argv[2]) };
const issuer = `http://127.0.0.1:${settings.port}`;
const people = new Map();

async function freshKey() {
  const { privateKey } = await generateKeyPair(settings.algorithm, { extractable: true });
  return { ...(await exportJWK(privateKey)), use: "sig", alg: settings.algorithm };
}

/** A provider with keys of its own. What it has stored about sign-ins is shared with the one before. */
async function provider() {
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: "callboard",
        ...(settings.secret
          ? { client_secret: settings.secret, token_endpoint_auth_method: settings.method ?? "client_secret_basic" }
          : { token_endpoint_auth_method: "none" }),
        redirect_uris: [settings.redirect_uri],
        id_token_signed_response_alg: settings.algorithm,
      },
    ],
    clientAuthMethods: [settings.secret ? (settings.method ?? "client_secret_basic") : "none"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    scopes: ["openid", "email", "profile", "groups"],
    conformIdTokenClaims: !settings.claims_in_token,
    cookies: { keys: ["a key of the cookies"] },
    enabledJWA: { idTokenSigningAlgValues: [settings.algorithm] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    jwks: { keys: [await freshKey()] },
    pkce: { required: () => true },
  });
  return made.callback();
}

let answer = await provider();

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

const server = createServer(async (request, response) => {
  const [, name] = /^\/-\/people\/(.+)$/.exec(request.url) ?? [];
  if (name) people.set(name, JSON.parse(await body(request)));
  else if (request.url === "/-/keys") answer = await provider();
  else return answer(request, response);
  response.end();
});
server.listen(settings.port, "127.0.0.1", () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
