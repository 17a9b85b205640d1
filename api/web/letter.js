// The pages that links in letters lead to, for installations whose front end has none of its own. The token is behind the
// #: the browser sends it to nobody, and here it goes into one mutation and out of the address.
'use strict';

const PAGES = {
    '/verify-email': {
        title: ['Confirmer votre adresse', 'Confirm your address'],
        query: 'mutation($token: String!) { verifyEmail(token: $token) }',
        asks: [],
        done: ['Votre adresse est confirmée.', 'Your address is confirmed.'],
    },
    '/reset-password': {
        title: ['Choisir un nouveau mot de passe', 'Choose a new password'],
        query: 'mutation($token: String!, $password: String!) { resetPassword(token: $token, password: $password) }',
        asks: ['password'],
        done: ['Votre mot de passe est changé : connectez-vous.', 'Your password is changed: log in.'],
    },
    '/claim': {
        title: ['Garder votre annonce', 'Keep your advertisement'],
        query: `mutation($token: String!, $password: String!, $code: String, $organizationName: String) {
            claimGuest(token: $token, password: $password, code: $code, organizationName: $organizationName) { expiresAt } }`,
        asks: ['organization', 'password', 'code'],
        done: ['Votre annonce est dans votre espace : connectez-vous.', 'Your advertisement is in your account: log in.'],
    },
    '/invitation': {
        title: ["Rejoindre l'organisation", 'Join the organization'],
        query: `mutation($token: String!, $password: String!, $code: String) {
            acceptInvitation(token: $token, password: $password, code: $code) { expiresAt } }`,
        asks: ['password', 'code'],
        done: ["Vous faites partie de l'organisation : connectez-vous.", 'You belong to the organization: log in.'],
    },
};
const LABELS = {
    '/claim': ['Mot de passe, nouveau ou celui de votre compte (10 caractères au moins)', 'Password, new or that of your account (10 characters at least)'],
    '/invitation': ['Mot de passe, nouveau ou celui de votre compte (10 caractères au moins)', 'Password, new or that of your account (10 characters at least)'],
    '/reset-password': ['Nouveau mot de passe (10 caractères au moins)', 'New password (10 characters at least)'],
};

const at = id => document.getElementById(id);
const page = PAGES[location.pathname];
const token = new URLSearchParams(location.hash.slice(1)).get('token');
// Neither the history nor a screenshot shows it.
history.replaceState(null, '', location.pathname);

function tell(id, [french, english], wrong = false) {
    const second = document.createElement('span');
    second.lang = 'en';
    second.textContent = english;
    at(id).replaceChildren(document.createTextNode(`${french} `), second);
    at(id).className = wrong ? 'error' : '';
}

async function ask(variables) {
    try {
        const answer = await fetch('/graphql', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ query: page.query, variables }),
        });
        const { errors } = await answer.json();
        if (!errors) return undefined;
        return [errors[0].message, errors[0].extensions?.messageEn ?? ''];
    } catch {
        return ['Pas de réponse : réessayez dans un instant.', 'No answer: try again in a moment.'];
    }
}

if (page) {
    document.title = page.title[0];
    at('title').textContent = page.title[0];
    if (token) {
        for (const name of page.asks) at(name).hidden = false;
        at('form').elements.password.required = page.asks.includes('password');
        const [label, english] = LABELS[location.pathname] ?? ['', ''];
        at('password-label').textContent = label;
        at('password-label-en').textContent = english;
        at('form').hidden = false;
    } else {
        tell('told', ['Ce lien est incomplet : copiez-le en entier.', 'This link is incomplete: copy all of it.'], true);
    }
}
at('form').addEventListener('submit', async event => {
    event.preventDefault();
    at('go').disabled = true;
    const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== ''));
    const wrong = await ask({ token, ...given });
    at('go').disabled = false;
    if (!wrong) at('form').hidden = true;
    tell('answer', wrong ?? page.done, Boolean(wrong));
});
