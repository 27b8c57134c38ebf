// npm's oidc-provider as FranceConnect behaves: pairwise sub, signed user information, one level; development's own pages.
import { createHash, generateKeyPairSync } from 'node:crypto';

const { Provider } = await import(new URL('../../services/gateway/assets/node_modules/oidc-provider/lib/index.js', import.meta.url));
const { issuer, port, client_id, client_secret, gateway, person, acr } = JSON.parse(process.argv[2]);
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  acrValues: ['eidas1', 'eidas2', 'eidas3'],
  claims: { openid: ['sub'], given_name: ['given_name'], family_name: ['family_name'], birthdate: ['birthdate'] },
  clients: [{
    client_id,
    client_secret,
    redirect_uris: [`${gateway}/connexion/franceconnect/retour`],
    post_logout_redirect_uris: [`${gateway}/connexion/fin`],
    subject_type: 'pairwise',
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'ES256',
    userinfo_signed_response_alg: 'ES256',
  }],
  cookies: { keys: ['only for tests'] },
  features: { devInteractions: { enabled: true }, jwtUserinfo: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...person }) }),
  jwks: { keys: [{ ...key, kid: 'k1', use: 'sig', alg: 'ES256' }] },
  pairwiseIdentifier: (_, id, client) => createHash('sha256').update(`${client.sectorIdentifier}${id}`).digest('hex'),
  pkce: { required: () => true },
  subjectTypes: ['pairwise'],
});
Object.defineProperty(provider.Session.prototype, 'acr', { get: () => acr, set() {} });
provider.listen(port, '127.0.0.1', () => console.log('listening'));
