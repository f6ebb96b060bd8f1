// A real OpenID provider for the tests. Groups and faults are read from a file at each sign-in, so that a test can
// change them: {"groups": {"anna": ["Redaktion"]}, "fault": "expired"}.
import { readFileSync } from "node:fs";
import { exportJWK, generateKeyPair, SignJWT, decodeJwt, importJWK } from "jose";
import { Provider } from "oidc-provider";

const [port, client, callback, state] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const told = () => JSON.parse(readFileSync(state, "utf-8"));

const own = await generateKeyPair("RS256", { extractable: true });
const foreign = await generateKeyPair("RS256", { extractable: true });
const jwk = { ...(await exportJWK(own.privateKey)), kid: "tests", alg: "RS256", use: "sig" };

const provider = new Provider(issuer, {
  clients: [{
    client_id: client,
    client_secret: "hemmelighed-kun-til-test",
    redirect_uris: [callback],
    post_logout_redirect_uris: [new URL("/", callback).href],
    backchannel_logout_uri: new URL("/log-ud/udbyder", callback).href,
    backchannel_logout_session_required: true,
  }],
  jwks: { keys: [jwk] },
  cookies: { keys: ["kun-til-test"] },
  claims: { openid: ["sub"], profile: ["name", "groups"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
  // It takes our server, on this machine, for an address it must not call.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Navn på ${id}`, groups: told().groups[id] ?? [] }),
  }),
});

// The faults of a provider, or of someone who stands between it and us.
const FAULTS = {
  expired: (claims) => ({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }),
  audience: (claims) => ({ ...claims, aud: "en-anden" }),
  issuer: (claims) => ({ ...claims, iss: "https://ond.example" }),
  nonce: (claims) => ({ ...claims, nonce: "et-andet-login" }),
  unsigned: (claims) => claims,
  signature: (claims) => claims,
};

provider.use(async (ctx, next) => {
  await next();
  const fault = told().fault;
  if (ctx.path !== "/token" || !fault || !ctx.body?.id_token) return;
  const claims = FAULTS[fault](decodeJwt(ctx.body.id_token));
  if (fault === "unsigned") {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    ctx.body = { ...ctx.body, id_token: `${part({ alg: "none" })}.${part(claims)}.` };
    return;
  }
  const key = fault === "signature" ? foreign.privateKey : await importJWK(jwk, "RS256");
  const signed = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "tests" }).sign(key);
  ctx.body = { ...ctx.body, id_token: signed };
});

provider.listen(Number(port), "127.0.0.1", () => console.log("klar"));
