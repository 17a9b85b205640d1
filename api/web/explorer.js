// A page to try the API with. It needs nothing from elsewhere, and what comes from the schema or a result only ever
// becomes text, never HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const PREFIX = "keroxio.explorer.";
const HISTORY_LENGTH = 50;
const EVENTS_SHOWN = 200;
const INDENT = "  ";

const TEXTS = {
    fr: {
        running: "En cours…", stopped: "Arrêté.", listening: "Abonné : les événements arrivent ici.", connecting: "Connexion…",
        over: (n) => `Abonnement terminé, ${n} événement(s).`, closed: (code, why) => `Connexion fermée : ${code} ${why}`,
        unreachable: "Le serveur ne répond pas.", empty: "Écrivez d'abord une requête.",
        badVariables: (why) => `Les variables ne sont pas un objet JSON : ${why}`,
        cost: (c) => `coût ${c.requested} (reste ${c.remaining} sur ${c.capacity}, ${c.perSecond} rendus par seconde)`,
        reading: "Lecture du schéma…", noSchema: "Le schéma n'a pas pu être lu : ",
        refused: "Cette installation ne décrit pas son schéma à cette demande (INTROSPECTION_REFUSED). Donnez un jeton et relisez le schéma, ou servez-vous du fichier schema.graphql publié. La documentation et la complétion attendent ; les requêtes marchent quand même.",
        nothing: "Rien trouvé.", more: "Il y en a d'autres : précisez.", home: "Racines", types: "Tous les types",
        fields: "Champs", inputs: "Champs", values: "Valeurs", possible: "Types possibles", args: "Arguments",
        interfaces: "Réalise", deprecated: "Déprécié : ", none: "Aucune proposition ici.", noDocs: "Le schéma n'est pas lu : pas de propositions.",
        suggestions: (n) => `${n} proposition(s)`, remove: "Oublier", copied: "Copié.", noHistory: "Rien encore.",
        anonymous: "sans nom",
    },
    en: {
        running: "Running…", stopped: "Stopped.", listening: "Subscribed: events come here.", connecting: "Connecting…",
        over: (n) => `Subscription over, ${n} event(s).`, closed: (code, why) => `Connection closed: ${code} ${why}`,
        unreachable: "The server does not answer.", empty: "Write a query first.",
        badVariables: (why) => `The variables are not a JSON object: ${why}`,
        cost: (c) => `cost ${c.requested} (${c.remaining} of ${c.capacity} left, ${c.perSecond} come back each second)`,
        reading: "Reading the schema…", noSchema: "The schema could not be read: ",
        refused: "This installation does not describe its schema to this request (INTROSPECTION_REFUSED). Give a token and read the schema again, or use the published file schema.graphql. Documentation and completion wait; queries work all the same.",
        nothing: "Nothing found.", more: "There are more: be more precise.", home: "Roots", types: "All types",
        fields: "Fields", inputs: "Fields", values: "Values", possible: "Possible types", args: "Arguments",
        interfaces: "Implements", deprecated: "Deprecated: ", none: "No suggestion here.", noDocs: "The schema is not read: no suggestions.",
        suggestions: (n) => `${n} suggestion(s)`, remove: "Forget", copied: "Copied.", noHistory: "Nothing yet.",
        anonymous: "unnamed",
    },
};

const SAMPLE = {
    query: `# Ctrl-Entrée exécute l'opération où est le curseur · Ctrl-Enter runs the operation at the cursor
# Sans compte · Without an account
query Energies {
  __type(name: "FuelType") {
    enumValues { name description }
  }
}

# Mettez un mot de passe dans les variables, puis prenez le jeton · Put a password in the variables, then use the token
mutation Compte($account: RegisterInput!) {
  register(input: $account) { accessToken }
}

query Prix($car: VehicleInput!) {
  estimatePrice(car: $car) {
    low { formatted }
    mid { formatted }
    high { formatted }
    confidenceLabel
  }
}

subscription Nouvelles {
  notificationAdded { __typename }
}
`,
    variables: JSON.stringify({
        account: { email: "moi@example.org", password: "", organizationName: "Moi", organizationKind: "PRIVATE_SELLER" },
        car: { make: "Peugeot", model: "208", firstRegistration: "2021-05", mileageKm: 38000, fuel: "PETROL" },
    }, null, 2),
};

// --- small tools -----------------------------------------------------------------------------------------------------

/** An element; properties are set as such, and children that are strings become text. */
function el(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
}

/** Storage is refused in some private windows: the page then works without memory. */
function remembered(storage, key) {
    try { return window[storage].getItem(PREFIX + key); } catch { return null; }
}
function remember(storage, key, value) {
    try { window[storage].setItem(PREFIX + key, value); } catch { /* without memory, then */ }
}

let language = remembered("localStorage", "language") === "en" ? "en" : "fr";
const say = (key, ...values) => {
    const text = TEXTS[language][key];
    return typeof text === "function" ? text(...values) : text;
};

const locale = () => (language === "en" ? "en-GB" : "fr-FR");

/** The page is written in French; its English is in attributes, and what is replaced is kept the first time. */
function translate() {
    const kinds = { en: "textContent", enLabel: "ariaLabel", enTitle: "title", enPlaceholder: "placeholder" };
    for (const [key, property] of Object.entries(kinds)) {
        const attribute = "data-" + key.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
        for (const element of document.querySelectorAll(`[${attribute}]`)) {
            const french = key.replace("en", "fr");
            element.dataset[french] ??= element[property];
            element[property] = element.dataset[language === "en" ? key : french];
        }
    }
    document.documentElement.lang = language;
    document.title = language === "en" ? "Keroxio: explore the API" : "Keroxio : explorer l'API";
    $("language").textContent = language === "en" ? "Français" : "English";
    $("language").lang = language === "en" ? "fr" : "en";
}

// --- reading a document ----------------------------------------------------------------------------------------------

/** Tokens of a GraphQL document, of one that is half written too. Comments are kept: nothing is completed in them. */
function lex(text) {
    const pattern = /#[^\n]*|"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|\.\.\.|\$\w*|@\w*|[_A-Za-z]\w*|-?\d[\w.+-]*|[{}()[\]:=!|&]/g;
    const kindOf = (first) => {
        if (first === "#") return "comment";
        if (first === '"') return "string";
        if (first === "$") return "variable";
        if (first === "@") return "directive";
        if (/[_A-Za-z]/.test(first)) return "name";
        return /[-\d]/.test(first) ? "number" : "mark";
    };
    return [...text.matchAll(pattern)].map((match) => ({
        kind: kindOf(match[0][0]), text: match[0], start: match.index, end: match.index + match[0].length,
    }));
}

/** Operations of a document: kind, name and place, that of a half-written one too. */
function operationsOf(text) {
    const found = [];
    let depth = 0, current = null;
    const tokens = lex(text).filter((token) => token.kind !== "comment");
    tokens.forEach((token, at) => {
        const isKind = /^(query|mutation|subscription|fragment)$/.test(token.text);
        if (!current && (isKind || token.text === "{")) {
            const name = isKind && tokens[at + 1]?.kind === "name" ? tokens[at + 1].text : null;
            found.push(current = { kind: isKind ? token.text : "query", name, start: token.start });
        }
        if (/^[{(]$/.test(token.text)) depth += 1;
        if (/^[})]$/.test(token.text)) depth = Math.max(0, depth - 1);
        if (current) current.end = token.end;
        if (depth === 0 && token.text === "}") current = null;
    });
    return found.filter((operation) => operation.kind !== "fragment");
}

// --- the schema ------------------------------------------------------------------------------------------------------

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const INPUT = `name description defaultValue isDeprecated deprecationReason type { ${TYPE} }`;
const INTROSPECTION = `query Schema { __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    directives { name description args { ${INPUT} } }
    types { kind name description
        fields(includeDeprecated: true) { name description isDeprecated deprecationReason type { ${TYPE} }
            args(includeDeprecated: true) { ${INPUT} } }
        inputFields(includeDeprecated: true) { ${INPUT} }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        interfaces { name } possibleTypes { name } } } }`;

/** The schema by names; null until it is read. */
let schema = null;

async function readSchema() {
    $("docs-state").textContent = say("reading");
    try {
        const { body } = await post({ query: INTROSPECTION, operationName: "Schema" });
        if (body?.data?.__schema) {
            schema = indexed(body.data.__schema);
            $("docs-state").textContent = "";
        } else {
            $("docs-state").textContent = whyUnread(body?.errors?.[0]);
        }
    } catch {
        $("docs-state").textContent = say("noSchema") + say("unreachable");
    }
    showDocs();
}

function whyUnread(error) {
    const code = error?.extensions?.code;
    if (code === "INTROSPECTION_REFUSED") return say("refused");
    return say("noSchema") + (error ? messageOf(error) : "?");
}

function indexed(raw) {
    const types = new Map(raw.types.map((type) => [type.name, type]));
    const roots = { query: raw.queryType?.name, mutation: raw.mutationType?.name, subscription: raw.subscriptionType?.name };
    return { types, roots, directives: raw.directives };
}

const namedOf = (type) => (type?.ofType ? namedOf(type.ofType) : type?.name ?? null);
function written(type) {
    if (type.kind === "NON_NULL") return written(type.ofType) + "!";
    return type.kind === "LIST" ? `[${written(type.ofType)}]` : type.name;
}
const fieldsOf = (name) => schema.types.get(name)?.fields ?? [];
const inputsOf = (name) => schema.types.get(name)?.inputFields ?? [];
const named = (list, name) => list?.find((item) => item.name === name) ?? null;

// --- what can stand at the cursor ------------------------------------------------------------------------------------

/** Walks the document up to the cursor; the last frame of the stack says what surrounds it. */
function frameAt(tokens) {
    const stack = [{ kind: "document", root: schema.roots.query }];
    tokens.forEach((token, at) => {
        const before = [tokens[at - 1]?.text, tokens[at - 2]?.text];
        STEPS[stack.at(-1).kind](stack.at(-1), token, before, stack);
    });
    return stack.at(-1);
}

const directiveArgs = (token) => named(schema.directives, token.slice(1))?.args;
const isDirective = (text) => text?.startsWith("@");

/** How each kind of frame takes one more token: it notes what it learns and opens or closes frames. */
const STEPS = {
    document(frame, token, [last], stack) {
        if (token.text === "{") {
            stack.push({ kind: "selection", type: frame.root });
            frame.root = schema.roots.query;
        } else if (token.text === "(") {
            stack.push(isDirective(last) ? argsFrame(directiveArgs(last)) : { kind: "variables" });
        } else if (Object.hasOwn(schema.roots, token.text) && last !== "fragment") {
            frame.root = schema.roots[token.text];
        } else if (last === "on") {
            frame.root = token.text;
        }
    },
    selection(frame, token, [last, beforeLast], stack) {
        if (token.text === "}") stack.pop();
        else if (token.text === "...") frame.inner = frame.type;
        else if (token.text === "(") stack.push(argsFrame(isDirective(last) ? directiveArgs(last) : frame.field?.args));
        else if (token.text === "{") stack.push({ kind: "selection", type: frame.inner ?? namedOf(frame.field?.type) });
        else if (last === "on" && beforeLast === "...") frame.inner = token.text;
        else if (token.kind === "name" && last !== "...") {
            frame.inner = null;
            frame.field = named(fieldsOf(frame.type), token.text);
        }
    },
    args(frame, token, _, stack) {
        if (token.text === ")" || token.text === "}") stack.pop();
        else if (token.text === ":") frame.wantsValue = true;
        else if (frame.wantsValue) {
            frame.wantsValue = false;
            openValue(frame.value, token, stack);
        } else if (token.kind === "name") {
            frame.value = named(frame.args, token.text);
            frame.used.push(token.text);
        }
    },
    list(frame, token, _, stack) {
        if (token.text === "]") stack.pop();
        else openValue(frame.value, token, stack);
    },
    variables(frame, token, _, stack) {
        if (token.text === ")") stack.pop();
        else if (token.text === "=") frame.inDefault = true;
        else if (token.kind === "variable") frame.inDefault = false;
        else if (token.text === "{" || (token.text === "[" && frame.inDefault)) openValue(null, token, stack);
    },
};

const argsFrame = (args) => ({ kind: "args", args: args ?? [], used: [], value: null, wantsValue: false });

function openValue(value, token, stack) {
    if (token.text === "{") stack.push(argsFrame(inputsOf(namedOf(value?.type))));
    if (token.text === "[") stack.push({ kind: "list", value });
}

/** What can be written at a place: where the word begun there starts, and the choices. */
function choicesAt(text, cursor) {
    const tokens = lex(text.slice(0, cursor));
    const last = tokens.at(-1);
    const closes = last?.kind === "string" && last.text.length > 1 && last.text.endsWith('"');
    if (last?.end === cursor && (last.kind === "comment" || (last.kind === "string" && !closes))) return { from: cursor, choices: [] };
    const isBegun = last?.end === cursor && ["name", "variable", "directive"].includes(last.kind);
    const from = isBegun ? last.start : cursor;
    const before = (isBegun ? tokens.slice(0, -1) : tokens).filter((token) => token.kind !== "comment");
    const word = isBegun ? last.text : "";
    return { from, choices: fitting(offered(frameAt(before), before, word, text), word) };
}

/** Those that begin with the word come first, then those that contain it. */
function fitting(choices, word) {
    const wanted = word.toLowerCase();
    const place = (choice) => choice.name.toLowerCase().indexOf(wanted);
    const rank = (choice) => Number(place(choice) > 0) * 2 + Number(Boolean(choice.isDeprecated));
    return choices.filter((choice) => place(choice) >= 0).sort((a, b) => rank(a) - rank(b));
}

function offered(frame, tokens, word, text) {
    const [last, beforeLast] = [tokens.at(-1)?.text, tokens.at(-2)?.text];
    if (word.startsWith("@")) return schema.directives.filter((d) => /^(skip|include)$/.test(d.name)).map((d) => ({ ...d, name: "@" + d.name }));
    if (frame.kind === "document" && last === "on") return typesFor("OBJECT", "INTERFACE", "UNION");
    if (frame.kind === "document" && beforeLast === "fragment") return plain(["on"]);
    if (frame.kind === "document") return last && last !== "}" ? [] : plain(["query", "mutation", "subscription", "fragment"]);
    if (frame.kind === "selection") {
        if (last === "...") return plain(["on", ...fragmentsOf(text)]);
        if (last === "on" && beforeLast === "...") return typesFor("OBJECT", "INTERFACE", "UNION");
        return [...fieldsOf(frame.type), ...(frame.type ? plain(["__typename"]) : [])];
    }
    if (frame.kind === "variables") return last === ":" || last === "[" ? typesFor("SCALAR", "ENUM", "INPUT_OBJECT") : [];
    if (frame.kind === "list" || frame.wantsValue) return valuesOf(frame.value, text);
    return frame.args.filter((argument) => !frame.used.includes(argument.name)).map((argument) => ({ ...argument, insert: argument.name + ": " }));
}

const plain = (names) => names.map((name) => ({ name }));
const typesFor = (...kinds) => [...schema.types.values()].filter((type) => kinds.includes(type.kind) && !type.name.startsWith("__"));
const fragmentsOf = (text) => [...text.matchAll(/\bfragment\s+(\w+)/g)].map((match) => match[1]);

function valuesOf(input, text) {
    const type = namedOf(input?.type);
    const literals = type === "Boolean" ? ["true", "false"] : [];
    const variables = [...new Set([...text.matchAll(/(\$\w+)\s*:/g)].map((match) => match[1]))];
    return [...(schema.types.get(type)?.enumValues ?? []), ...plain([...literals, ...variables])];
}

// --- the list of choices ---------------------------------------------------------------------------------------------

const popup = { choices: [], from: 0, at: 0 };
const isOpen = () => !$("popup").hidden;
const note = (text) => { $("note").textContent = text; };

function openChoices() {
    const editor = $("query");
    if (!schema) return note(say("noDocs"));
    const { from, choices } = choicesAt(editor.value, editor.selectionEnd);
    Object.assign(popup, { from, choices, at: 0 });
    note(choices.length ? say("suggestions", choices.length) : say("none"));
    if (!choices.length) return closeChoices();
    $("choices").replaceChildren(...choices.map(choiceItem));
    $("popup").hidden = false;
    placePopup(editor);
    choose(0);
}

function choiceItem(choice, at) {
    const name = el("span", { className: choice.isDeprecated ? "deprecated" : "" }, choice.name);
    const item = el("li", { id: `choice-${at}`, role: "option" }, name, el("span", { className: "meta" }, choice.type ? written(choice.type) : ""));
    item.addEventListener("click", () => { choose(at); accept(); });
    return item;
}

/** Lines do not wrap in the editor, so a place is a row and a column of one width. */
function placePopup(editor) {
    const lines = editor.value.slice(0, popup.from).split("\n");
    const ruler = $("ruler").getBoundingClientRect();
    const left = lines.at(-1).length * (ruler.width / 10) + 8 - editor.scrollLeft;
    const top = lines.length * ruler.height + 10 - editor.scrollTop;
    $("popup").style.left = Math.max(0, Math.min(left, editor.clientWidth - $("popup").offsetWidth)) + "px";
    $("popup").style.top = Math.max(0, Math.min(top, editor.clientHeight)) + "px";
}

function choose(at) {
    popup.at = (at + popup.choices.length) % popup.choices.length;
    [...$("choices").children].forEach((item, index) => item.setAttribute("aria-selected", String(index === popup.at)));
    $("choices").children[popup.at].scrollIntoView({ block: "nearest" });
    $("query").setAttribute("aria-activedescendant", `choice-${popup.at}`);
    const choice = popup.choices[popup.at];
    const reason = choice.isDeprecated ? say("deprecated") + (choice.deprecationReason ?? "") + " " : "";
    $("choice-detail").textContent = reason + (choice.description ?? "");
}

function closeChoices() {
    if (isOpen()) note("");
    $("popup").hidden = true;
    $("query").removeAttribute("aria-activedescendant");
}

function accept() {
    const choice = popup.choices[popup.at];
    const editor = $("query");
    closeChoices();
    editor.focus();
    editor.setSelectionRange(popup.from, editor.selectionEnd);
    insert(editor, choice.insert ?? choice.name);
}

/** The old command keeps what Ctrl-Z undoes; setRangeText, for browsers without it, does not. */
function insert(editor, text) {
    if (document.execCommand("insertText", false, text)) return;
    editor.setRangeText(text, editor.selectionStart, editor.selectionEnd, "end");
    editor.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- keys of the editor ----------------------------------------------------------------------------------------------

/** After Escape, Tab moves on: nobody is to be caught in the editor. */
let tabLeaves = false;

function onEditorKey(event) {
    if (event.key === " " && event.ctrlKey) {
        event.preventDefault();
        return openChoices();
    }
    if (isOpen() && onPopupKey(event)) return event.preventDefault();
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Tab" && isPlain && !tabLeaves) {
        event.preventDefault();
        insert(event.target, INDENT);
    }
    if (event.key === "Enter" && isPlain && !event.isComposing) {
        event.preventDefault();
        insert(event.target, "\n" + indentAt(event.target));
    }
    tabLeaves = event.key === "Escape" || (tabLeaves && event.key === "Shift");
}

function onPopupKey(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) choose(popup.at + moves[event.key]);
    else if (event.key === "Escape") closeChoices();
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || (event.key === "Tab" && !event.shiftKey)) accept();
    else return false;
    return true;
}

/** A new line begins like the one before, one step further after an opening bracket. */
function indentAt(editor) {
    const line = editor.value.slice(0, editor.selectionStart).split("\n").at(-1);
    return line.match(/^ */)[0] + (/[{([]\s*$/.test(line) ? INDENT : "");
}

function onEdit() {
    remember("sessionStorage", "query", $("query").value);
    remember("sessionStorage", "variables", $("variables").value);
    note("");
    showOperations();
    if (isOpen()) openChoices();
}

/** The operation at the cursor is the one that runs, until another is picked. */
function showOperations() {
    const editor = $("query");
    const operations = operationsOf(editor.value);
    const here = operations.findIndex((operation) => editor.selectionEnd <= operation.end);
    const label = (operation) => `${operation.kind} ${operation.name ?? `(${say("anonymous")})`}`;
    $("operation").replaceChildren(...operations.map((operation, at) => el("option", { value: String(at) }, label(operation))));
    $("operation").selectedIndex = here < 0 ? operations.length - 1 : here;
    $("picker").hidden = operations.length < 2;
}

// --- running ---------------------------------------------------------------------------------------------------------

/** What stops the operation under way; null while there is none. */
let stopCurrent = null;

const bearer = () => {
    const token = $("token").value.trim().replace(/^bearer\s+/i, "");
    return token ? { authorization: `Bearer ${token}` } : {};
};

async function post(request, signal) {
    const headers = { "content-type": "application/json", accept: "application/graphql-response+json, application/json", ...bearer() };
    const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(request), signal });
    const text = await answer.text();
    try { return { status: answer.status, text, body: JSON.parse(text) }; } catch { return { status: answer.status, text, body: null }; }
}

/** The request that the page describes; tells what is wrong and answers null where it describes none. */
function request() {
    const query = $("query").value;
    const operation = operationsOf(query)[$("operation").selectedIndex];
    if (!operation) return tell(say("empty"));
    try {
        const variables = JSON.parse($("variables").value.trim() || "{}");
        if (variables === null || typeof variables !== "object" || Array.isArray(variables)) throw new Error("{ … }");
        return { kind: operation.kind, body: { query, variables, operationName: operation.name ?? undefined } };
    } catch (error) {
        return tell(say("badVariables", error.message));
    }
}

function run() {
    closeChoices();
    stopCurrent?.();
    const wanted = request();
    if (!wanted) return;
    record(wanted);
    clearResult();
    $("stop").disabled = false;
    if (wanted.kind === "subscription") subscribe(wanted.body);
    else ask(wanted.body);
}

async function ask(body) {
    const abort = new AbortController();
    const stop = stopCurrent = () => { abort.abort(); ended(stop, say("stopped")); };
    tell(say("running"));
    const started = performance.now();
    try {
        const answer = await post(body, abort.signal);
        const took = Math.round(performance.now() - started);
        if (stopCurrent !== stop) return;
        showAnswer(answer);
        ended(stop, summary(answer, took));
    } catch {
        ended(stop, say("unreachable"));
    }
}

/** Only what is under way may say that it has ended: an answer can arrive after the next run began. */
function ended(stop, text) {
    if (stopCurrent !== stop) return;
    stopCurrent = null;
    $("stop").disabled = true;
    tell(text);
}

function summary({ status, text, body }, took) {
    const cost = body?.extensions?.cost;
    const size = text.length < 1024 ? `${text.length} c` : `${Math.round(text.length / 1024)} k`;
    return [`HTTP ${status}`, `${took} ms`, size, cost && say("cost", cost)].filter(Boolean).join(" · ");
}

/** By the protocol graphql-transport-ws, one connection for one subscription. */
function subscribe(body) {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/graphql", "graphql-transport-ws");
    const send = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
    let count = 0;
    const finish = (text) => { ended(stop, text); socket.close(1000); };
    const stop = stopCurrent = () => { send({ id: "1", type: "complete" }); finish(say("stopped")); };
    const hear = {
        connection_ack: () => { send({ id: "1", type: "subscribe", payload: body }); tell(say("listening")); },
        ping: () => send({ type: "pong" }),
        next: ({ payload }) => { count += 1; showEvent(payload); },
        error: ({ payload }) => { showErrors(payload); finish(say("over", count)); },
        complete: () => finish(say("over", count)),
    };
    $("output").hidden = true;
    $("events").hidden = false;
    tell(say("connecting"));
    socket.onopen = () => send({ type: "connection_init", payload: bearer() });
    socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (stopCurrent === stop) hear[message.type]?.(message);
    };
    socket.onclose = (event) => ended(stop, event.code === 1006 ? say("unreachable") : say("closed", event.code, event.reason));
}

// --- the result ------------------------------------------------------------------------------------------------------

/** Answers null, for `return tell(…)`. */
function tell(text) {
    $("status").textContent = text;
    return null;
}

function clearResult() {
    for (const id of ["output", "events", "errors"]) $(id).replaceChildren();
    $("output").hidden = false;
    for (const id of ["events", "errors", "take-token"]) $(id).hidden = true;
    $("copy").disabled = true;
    // On a telephone the result is far below.
    if ($("result").getBoundingClientRect().top > innerHeight) $("result").scrollIntoView();
}

function showAnswer({ text, body }) {
    $("output").textContent = body ? JSON.stringify(body, null, 2) : text;
    $("copy").disabled = false;
    showErrors(body?.errors);
    $("take-token").hidden = !tokenIn(body?.data);
    $("take-token").onclick = () => {
        $("token").value = tokenIn(body.data);
        onToken();
        $("token").focus();
    };
}

/** The server speaks French in `message` and English in its extensions. */
function messageOf(error) {
    const { code, messageEn } = error.extensions ?? {};
    const message = language === "en" && messageEn ? messageEn : error.message;
    return (code ? `${code}: ` : "") + message + (error.path ? ` (${error.path.join(".")})` : "");
}

function showErrors(errors) {
    const list = Array.isArray(errors) ? errors : [];
    $("errors").hidden = !list.length;
    $("errors").replaceChildren(...list.map((error) => el("li", {}, messageOf(error))));
}

function showEvent(payload) {
    if (payload.errors) showErrors(payload.errors);
    const time = el("span", { className: "meta" }, new Date().toLocaleTimeString(locale()));
    $("events").prepend(el("li", {}, time, el("pre", {}, JSON.stringify(payload, null, 2))));
    while ($("events").children.length > EVENTS_SHOWN) $("events").lastChild.remove();
    $("copy").disabled = false;
}

const tokenIn = (data) => Object.values(data ?? {}).map((value) => value?.accessToken).find((token) => typeof token === "string");

async function copyResult() {
    const text = ($("output").hidden ? $("events") : $("output")).innerText;
    try { await navigator.clipboard.writeText(text); tell(say("copied")); } catch { getSelection().selectAllChildren($("result")); }
}

// --- history ---------------------------------------------------------------------------------------------------------

const SECRET = "(?:\\w*(?:password|token|secret)\\w*|\\bcode)";
const SECRET_KEY = new RegExp(`^${SECRET}$`, "i");
const SECRET_VARIABLE = new RegExp(`${SECRET}\\s*:\\s*\\$(\\w+)`, "gi");
const SECRET_LITERAL = new RegExp(`(${SECRET}\\s*:\\s*(?:[\\w![\\]]+\\s*=\\s*)?)("""[\\s\\S]*?"""|"(?:\\\\.|[^"\\\\\\n])*")`, "gi");

/** History outlives the tab, so nothing that opens an account may go there, whatever its variable is called. */
function variablesWithoutSecrets({ query, variables }) {
    const names = [...query.matchAll(SECRET_VARIABLE)].map((match) => match[1]);
    const clean = (name, value) => (SECRET_KEY.test(name) || names.includes(name) ? "" : typeof value === "string" ? withoutToken(value) : value);
    return JSON.stringify(variables, clean, 2);
}

const queryWithoutSecrets = (query) => withoutToken(query.replace(SECRET_LITERAL, '$1""'));

/** Keys and tokens are known by how they begin, the one in use as a whole. */
function withoutToken(text) {
    const token = bearer().authorization?.slice(7);
    return (token ? text.split(token).join("") : text).replace(/\b(?:kx_|eyJ)[\w.-]{16,}/g, "");
}

function pastRuns() {
    try {
        const runs = JSON.parse(remembered("localStorage", "history") ?? "[]");
        return Array.isArray(runs) ? runs.filter((run) => typeof run?.query === "string") : [];
    } catch { return []; }
}

function record({ kind, body }) {
    const run = { kind, name: body.operationName ?? null, query: queryWithoutSecrets(body.query), variables: variablesWithoutSecrets(body), at: Date.now() };
    const isSame = (other) => other.query === run.query && other.variables === run.variables && other.name === run.name;
    keep([run, ...pastRuns().filter((other) => !isSame(other))].slice(0, HISTORY_LENGTH));
}

function keep(runs) {
    remember("localStorage", "history", JSON.stringify(runs));
    showHistory();
}

function showHistory() {
    const runs = pastRuns();
    $("past").replaceChildren(...(runs.length ? runs.map(pastItem) : [el("li", {}, say("noHistory"))]));
    $("forget").disabled = !runs.length;
}

function pastItem(run) {
    const label = run.name ? `${run.kind} ${run.name}` : run.query.replace(/\s+/g, " ").slice(0, 60);
    const open = el("button", { type: "button", className: "link", onclick: () => load(run) }, label);
    const when = el("p", { className: "meta" }, new Date(run.at).toLocaleString(locale()));
    const forget = el("button", { type: "button", ariaLabel: `${say("remove")} ${label}`, onclick: () => keep(pastRuns().filter((other) => other.at !== run.at)) }, say("remove"));
    return el("li", {}, el("div", {}, open, when), forget);
}

function load(run) {
    $("query").value = run.query;
    $("variables").value = run.variables ?? "";
    const at = operationsOf(run.query).find((operation) => operation.name === run.name)?.start ?? 0;
    $("query").focus();
    $("query").setSelectionRange(at, at);
    onEdit();
}

// --- documentation ---------------------------------------------------------------------------------------------------

/** Names of the types that were followed, the one shown last. */
let trail = [];

function visit(names) {
    trail = names;
    $("search").value = "";
    showDocs();
    $("page").querySelector("h3")?.focus();
}

function showDocs() {
    const back = trail.map((name, at) => link(name, () => visit(trail.slice(0, at + 1))));
    $("trail").replaceChildren(...(trail.length ? [link(say("home"), () => visit([])), ...back.flatMap((item) => ["›", item])] : []));
    const search = $("search").value.trim();
    if (!schema) $("page").replaceChildren();
    else if (search) $("page").replaceChildren(...found(search));
    else $("page").replaceChildren(...(trail.length ? typePage(schema.types.get(trail.at(-1))) : homePage()));
}

const link = (text, onclick) => el("button", { type: "button", className: "link", onclick }, text);
const typeLink = (name, text = name) => link(text, () => visit([...trail.filter((other) => other !== name), name]));
/** A description: lines were broken for a file, and names stand between backquotes. */
function prose(text) {
    const parts = (text ?? "").replace(/(\S) *\n(?=[^\n\s*-])/g, "$1 ").split("`");
    return el("p", {}, ...parts.map((part, at) => (at % 2 ? el("code", {}, part) : part)));
}
const heading = (text) => el("h3", { tabIndex: -1 }, text);

function homePage() {
    const roots = Object.values(schema.roots).filter(Boolean).map((name) => el("li", {}, typeLink(name)));
    const others = typesFor("OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "SCALAR").filter((type) => !Object.values(schema.roots).includes(type.name));
    return [heading(say("home")), el("ul", {}, ...roots), heading(say("types")), el("ul", {}, ...others.map((type) => el("li", {}, typeLink(type.name))))];
}

function typePage(type) {
    if (!type) return [el("p", {}, say("nothing"))];
    const links = (key, list) => (list?.length ? [heading(say(key)), el("ul", {}, ...list.map(({ name }) => el("li", {}, typeLink(name))))] : []);
    const items = (key, list) => (list?.length ? [heading(say(key)), el("ul", {}, ...list.map((item) => memberItem(item)))] : []);
    return [
        heading(type.name), el("p", { className: "meta" }, type.kind.toLowerCase().replace("_", " ")), prose(type.description),
        ...links("interfaces", type.interfaces), ...(type.kind === "OBJECT" ? [] : links("possible", type.possibleTypes)),
        ...items("fields", type.fields), ...items("inputs", type.inputFields), ...items("values", type.enumValues),
    ];
}

/** A field, an argument, a field of an input or a value: name, type, default, what it says, and what it takes. */
function memberItem(member, owner = null) {
    const title = el("code", { className: member.isDeprecated ? "deprecated" : "" }, owner ? typeLink(owner) : "", owner ? "." : "", member.name);
    const type = member.type ? el("code", {}, ": ", typeLink(namedOf(member.type), written(member.type)), member.defaultValue ? ` = ${member.defaultValue}` : "") : null;
    const warning = member.isDeprecated ? el("p", { className: "warning" }, say("deprecated"), member.deprecationReason) : null;
    const args = member.args?.length ? [el("p", { className: "meta" }, say("args")), el("ul", {}, ...member.args.map((argument) => memberItem(argument)))] : [];
    return el("li", {}, title, type, warning, prose(member.description), ...args);
}

const FOUND_SHOWN = 60;

/** Names that begin with what is sought, names that contain it, then descriptions that do; of each, first what can be asked. */
function found(search) {
    const hits = everything().map((hit) => ({ ...hit, rank: rankOf(hit.member, search.toLowerCase()) })).filter((hit) => hit.rank < 3);
    const isRoot = ({ type }) => Object.values(schema.roots).includes(type.name);
    hits.sort((a, b) => a.rank - b.rank || isRoot(b) - isRoot(a));
    if (!hits.length) return [el("p", {}, say("nothing"))];
    const shown = hits.slice(0, FOUND_SHOWN).map(({ type, member }) => (type === member ? typeItem(type) : memberItem(member, type.name)));
    return [el("ul", {}, ...shown), el("p", { className: "meta" }, hits.length > FOUND_SHOWN ? say("more") : "")];
}

const typeItem = (type) => el("li", {}, typeLink(type.name), prose(type.description));

function everything() {
    const types = [...schema.types.values()].filter((type) => !type.name.startsWith("__"));
    return types.flatMap((type) => [type, ...(type.fields ?? []), ...(type.inputFields ?? []), ...(type.enumValues ?? [])].map((member) => ({ type, member })));
}

function rankOf(member, wanted) {
    const place = member.name.toLowerCase().indexOf(wanted);
    if (place >= 0) return Math.min(place, 1);
    const isArgument = member.args?.some((argument) => argument.name.toLowerCase().includes(wanted));
    return isArgument || member.description?.toLowerCase().includes(wanted) ? 2 : 3;
}

// --- the page --------------------------------------------------------------------------------------------------------

function showTab(name) {
    for (const tab of ["docs", "history"]) {
        $(tab).hidden = tab !== name;
        $(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
        $(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    }
}

function onTabKey(event) {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = event.target.id === "tab-docs" ? "history" : "docs";
    showTab(other);
    $(`tab-${other}`).focus();
}

/** A token may open a schema that was refused. */
function onToken() {
    remember("sessionStorage", "token", $("token").value.trim());
    if (!schema) readSchema();
}

function toggleLanguage() {
    language = language === "fr" ? "en" : "fr";
    remember("localStorage", "language", language);
    translate();
    showOperations();
    showHistory();
    if (schema) showDocs();
    else readSchema();
}

function restore() {
    $("query").value = remembered("sessionStorage", "query") ?? SAMPLE.query;
    $("variables").value = remembered("sessionStorage", "variables") ?? SAMPLE.variables;
    $("token").value = remembered("sessionStorage", "token") ?? "";
    $("query").setSelectionRange(0, 0);
}

function listen() {
    const clicks = { run, stop: () => stopCurrent?.(), copy: copyResult, reload: readSchema, language: toggleLanguage, forget: () => keep([]) };
    for (const [id, action] of Object.entries(clicks)) $(id).addEventListener("click", action);
    for (const event of ["keyup", "click"]) $("query").addEventListener(event, () => document.activeElement === $("query") && showOperations());
    $("query").addEventListener("keydown", onEditorKey);
    $("query").addEventListener("input", onEdit);
    $("query").addEventListener("blur", closeChoices);
    $("variables").addEventListener("input", onEdit);
    $("token").addEventListener("change", onToken);
    $("search").addEventListener("input", showDocs);
    // On a telephone there is no Ctrl, hence the button. Neither it nor the list takes the cursor from the editor.
    for (const id of ["complete", "popup"]) $(id).addEventListener("mousedown", (event) => event.preventDefault());
    $("complete").addEventListener("click", () => { $("query").focus(); openChoices(); });
    for (const tab of ["docs", "history"]) {
        $(`tab-${tab}`).addEventListener("click", () => showTab(tab));
        $(`tab-${tab}`).addEventListener("keydown", onTabKey);
    }
    document.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        run();
    });
}

translate();
restore();
listen();
showOperations();
showHistory();
readSchema();
