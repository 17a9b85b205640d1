//! GraphQL over WebSocket by the graphql-transport-ws protocol: its messages, its close codes, and bounds on what one
//! connection may keep going.

use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response, ServerError};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use keroxio_core::idempotency::IdempotencyKey;
use keroxio_core::metrics::{SOCKET_CLOSES, SOCKETS, SUBSCRIPTIONS};
use keroxio_core::{
    Actor, App, Authentication, ClientAddress, Error, ErrorCode, Loaders, TenantStream, as_tenant, tenant_of,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_stream::StreamMap;
use tracing::Instrument as _;

use super::door::{Door, Pass};
use super::idempotency::{self, Outcome as Begun};
use super::outcome::Outcome;
use super::request::{from_value, has_too_many_values, is_well_formed};
use super::{PROTOCOL, authenticate, chosen, documents, door, operation, response, with};

/// Time for `connection_init` to arrive.
const INIT: Duration = Duration::from_secs(10);
/// A connection that has been silent for this long is asked for a sign of life, and after twice as long is gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Time for a client to take a message.
const TAKING: Duration = Duration::from_secs(30);
/// Time for a client to answer a close.
const PARTING: Duration = Duration::from_secs(2);
/// Bytes of a message that is read at once, whoever sent it.
const SHORT: usize = 4 << 10;
/// Operations under way on one connection.
const MAX_OPERATIONS: usize = 100;

/// Why a connection is closed by us.
struct Close(u16, String);

impl Close {
    fn invalid(why: &str) -> Self {
        Self(4400, format!("Invalid message: {why}"))
    }
}

/// What an operation has to say.
enum Out {
    Next(Response),
    /// What the same mutation was answered before.
    Again(Value),
    Error(Vec<ServerError>),
    Complete,
}

pub async fn serve(
    mut socket: WebSocket,
    app: App,
    schema: impl Executor,
    token: Option<String>,
    address: Option<ClientAddress>,
    pass: Pass,
) {
    let _open = Counted::new(SOCKETS);
    let close = if socket.protocol().is_some_and(|protocol| protocol == PROTOCOL) {
        let session =
            Session { app, schema, token, address, actor: None, operations: StreamMap::new(), stranger: Some(pass) };
        session.run(&mut socket).await
    } else {
        Some(Close(4406, "Subprotocol not acceptable".to_owned()))
    };
    let Some(Close(code, reason)) = close else { return };
    metrics::counter!(SOCKET_CLOSES, "code" => code.to_string()).increment(1);
    // A close bears 125 bytes, two of them for the code.
    let end = (0..=reason.len().min(123)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or_default();
    let frame = CloseFrame { code, reason: reason.get(..end).unwrap_or_default().into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        // What the client still sends is taken, or the reset of the connection would overtake the reason.
        let _ = timeout(PARTING, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}

impl Out {
    /// Only the first answer tells of a document that cannot be executed.
    fn of(mut answer: Response, is_first: bool) -> Self {
        response::give_codes(&mut answer);
        if is_first && !response::was_executed(&answer) { Self::Error(answer.errors) } else { Self::Next(answer) }
    }
}

/// Executes what has one answer, a mutation with a key no more than once.
async fn once(
    app: App,
    schema: impl Executor,
    caller: Option<Actor>,
    key: Option<String>,
    mut request: Request,
) -> Out {
    let begun = match idempotency::begin(&app, caller.as_ref(), key.as_deref(), &request).await {
        Ok(Begun::Before(answer)) => return Out::Again(answer),
        Ok(Begun::First(begun)) => Some(begun),
        Ok(Begun::Unkeyed) => None,
        Err((_, error)) => return Out::Error(vec![response::coded(error)]),
    };
    if let Some(key) = key.filter(|_| begun.is_some()) {
        request = request.data(IdempotencyKey(key));
    }
    let started = Instant::now();
    let mut answer = match operation::execute(&schema, caller.as_ref(), request).await {
        Ok(answer) => answer,
        // What became of a mutation with a key is then for the next to find out.
        Err((_, error)) => {
            let failed = Response::from_errors(vec![response::coded(error)]);
            Outcome::of(&failed).record("websocket", started);
            return Out::of(failed, true);
        }
    };
    Outcome::of(&answer).record("websocket", started);
    response::give_codes(&mut answer);
    if let Some(begun) = begun {
        idempotency::end(&app, begun, &answer).await;
    }
    Out::of(answer, true)
}

/// One more of what a gauge shows, for as long as this is kept.
struct Counted(&'static str);

impl Counted {
    fn new(gauge: &'static str) -> Self {
        metrics::gauge!(gauge).increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(self.0).decrement(1.0);
    }
}

struct Session<E> {
    app: App,
    schema: E,
    /// From `connection_init`, or the request that opened the connection.
    token: Option<String>,
    address: Option<ClientAddress>,
    /// Who speaks; none before `connection_init`.
    actor: Option<Authentication>,
    operations: StreamMap<String, BoxStream<'static, Out>>,
    /// Until somebody signs in.
    stranger: Option<Pass>,
}

impl<E: Executor> Session<E> {
    /// Runs until the connection ends; answers why we are to close it, or none where the client did.
    async fn run(mut self, socket: &mut WebSocket) -> Option<Close> {
        let init = sleep(INIT);
        tokio::pin!(init);
        let mut look = looking();
        let mut heard = Instant::now();
        loop {
            let next = tokio::select! {
                message = socket.recv() => {
                    heard = Instant::now();
                    match message? {
                        // Boxed, as all that is done seldom: what it needs is room that a waiting connection would keep.
                        Ok(Message::Text(text)) => Box::pin(self.hear(text)).await,
                        Ok(Message::Binary(_)) => Err(Close::invalid("text only")),
                        // The next look sends our answer to a close, and finds the end.
                        Ok(Message::Close(_) | Message::Ping(_) | Message::Pong(_)) => Ok(None),
                        Err(e) if e.to_string().contains("too long") => Err(Close(1009, "Message too big".to_owned())),
                        Err(e) if e.to_string().to_lowercase().contains("utf") => Err(Close(1007, "Text only".to_owned())),
                        Err(_) => Err(Close(1002, "Protocol error".to_owned())),
                    }
                }
                Some((id, out)) = self.operations.next(), if !self.operations.is_empty() => Ok(Some(self.tell(&id, out))),
                () = &mut init, if self.actor.is_none() => Err(Close(4408, "Connection initialisation timeout".to_owned())),
                _ = look.tick() => match heard.elapsed() {
                    _ if !Box::pin(is_still_welcome(&self.app, self.actor, self.token.as_deref())).await => Err(Close(4403, "Forbidden: TOKEN_EXPIRED".to_owned())),
                    silent if silent >= SILENCE * 2 => Err(Close(1001, "No sign of life".to_owned())),
                    silent if silent >= SILENCE && self.actor.is_some() => Ok(Some(json!({ "type": "ping" }).to_string())),
                    _ => Ok(None),
                }
            };
            match next {
                Ok(None) => {}
                Ok(Some(message)) => {
                    if !matches!(timeout(TAKING, socket.send(Message::Text(message.into()))).await, Ok(Ok(()))) {
                        return None;
                    }
                }
                Err(close) => return Some(close),
            }
        }
    }

    /// One message of the client; answers what is said at once.
    async fn hear(&mut self, text: Utf8Bytes) -> Result<Option<String>, Close> {
        let length = text.len();
        // What is short is read on the spot: a user's first message, before we know whose it is, waits behind nobody's.
        let read = door::apart(length <= SHORT || self.who().is_some(), length, move || message_of(&text)).await;
        let message = read.map_err(|_| Close(1011, "Internal error".to_owned())).flatten()?;
        let kind = message.get("type").and_then(Value::as_str).ok_or_else(|| Close::invalid("no type"))?;
        let payload = message.get("payload").unwrap_or(&Value::Null);
        let is_map = payload.is_null() || payload.is_object();
        match kind {
            "connection_init" if is_map => self.begin(payload).await.map(Some),
            "ping" if is_map && !self.may_ping(length) => Err(Close(4429, "Too many pings".to_owned())),
            "ping" if is_map && payload.is_null() => Ok(Some(json!({ "type": "pong" }).to_string())),
            "ping" if is_map => Ok(Some(json!({ "type": "pong", "payload": payload }).to_string())),
            "pong" if is_map => Ok(None),
            "subscribe" => {
                let id = id_of(&message)?;
                if self.actor.is_none() {
                    return Err(Close(4401, "Unauthorized".to_owned()));
                }
                let door = self.app.get::<Door>().unwrap_or_default();
                let pass = door.enter(&self.app, self.who().as_ref(), self.address);
                let pass = match pass.and_then(|mut pass| pass.begin().map(|()| pass)) {
                    Ok(pass) => pass,
                    Err(error) => return Ok(Some(failed(&id, &[response::coded(error)]))),
                };
                pass.read(length);
                self.subscribe(id, payload.clone(), pass).await
            }
            "complete" => {
                self.operations.remove(&id_of(&message)?);
                Ok(None)
            }
            _ => Err(Close::invalid("unknown type or payload")),
        }
    }

    /// Who has signed in.
    fn who(&self) -> Option<Actor> {
        self.actor.and_then(Result::ok).flatten()
    }

    /// What a ping costs is counted as any request: it is read, and sent back.
    fn may_ping(&self, bytes: usize) -> bool {
        let door = self.app.get::<Door>().unwrap_or_default();
        let pass = door.enter(&self.app, self.who().as_ref(), self.address);
        pass.is_ok_and(|pass| {
            pass.read(bytes);
            true
        })
    }

    /// A token that is none, or has expired, opens no connection: the client is to bring another.
    async fn begin(&mut self, payload: &Value) -> Result<String, Close> {
        if self.actor.is_some() {
            return Err(Close(4429, "Too many initialisation requests".to_owned()));
        }
        let given = ["authorization", "Authorization"].iter().find_map(|name| payload.get(name)?.as_str());
        if let Some(given) = given {
            self.token = Some(given.to_owned());
        }
        let actor = authenticate(&self.app, self.token.as_deref()).await;
        if let Err(error) = &actor {
            return Err(Close(4403, format!("Forbidden: {}", error.0)));
        }
        if matches!(actor, Ok(Some(_))) {
            self.stranger = None;
        }
        self.actor = Some(actor);
        Ok(json!({ "type": "connection_ack" }).to_string())
    }

    async fn subscribe(&mut self, id: String, mut payload: Value, pass: Pass) -> Result<Option<String>, Close> {
        let failed = |id: &str, errors: &[ServerError]| {
            pass.fault();
            failed(id, errors)
        };
        if self.operations.contains_key(&id) {
            return Err(Close(4409, format!("Subscriber for {id} already exists")));
        }
        if let Err((_, error)) =
            documents::complete(&self.app, &pass, matches!(self.actor, Some(Ok(Some(_)))), &mut payload).await
        {
            return Ok(Some(failed(&id, &[response::coded(error)])));
        }
        if !is_well_formed(&payload) {
            return Err(Close::invalid("payload"));
        }
        let mut request = match from_value(payload) {
            Ok(request) => request,
            Err(error) => return Ok(Some(failed(&id, &[response::coded(error)]))),
        };
        if self.operations.len() >= MAX_OPERATIONS {
            return Ok(Some(failed(&id, &[response::coded(too_many())])));
        }
        let who = self.actor.unwrap_or(Ok(None));
        let read = operation::read(&self.app, &pass, who, &mut request).await;
        let mut document = match read.map_err(|error| vec![response::coded(error)]).flatten() {
            Ok(document) => document,
            Err(errors) => return Ok(Some(failed(&id, &errors))),
        };
        let operation = chosen(&document, request.operation_name.as_deref());
        let kind = operation.map(|operation| operation.ty);
        let wrong =
            operation.map(|operation| response::of_variables(operation, &request.variables)).unwrap_or_default();
        if !wrong.is_empty() {
            return Ok(Some(failed(&id, &wrong)));
        }
        keroxio_schema::leave_out_omitted(&mut document, &request.variables);
        let caller = self.who();
        let tenant = tenant_of(caller.as_ref());
        let key = idempotency::of_message(&request);
        if let Some(caller) = &caller {
            let counted = keroxio_subscription::service::call(&self.app, caller, idempotency::usable(key.as_deref()));
            if let Err(error) = as_tenant(tenant, counted).await {
                return Ok(Some(self::failed(&id, &[response::coded(error)])));
            }
        }
        let request = with(request, self.address, None).data(who).data(Loaders::default());
        let (mut request, shared) = keroxio_schema::share(request);
        request.set_parsed_query(document);
        // A subscription waits, which costs little: only what is answered at once is counted among what is under way.
        let outs: BoxStream<'static, Out> = if kind == Some(OperationType::Subscription) {
            let open = Counted::new(SUBSCRIPTIONS);
            let answers = TenantStream::new(tenant, self.schema.clone().execute_stream(request, None));
            answers
                .inspect(move |_| _ = (&open, &shared))
                .enumerate()
                .map(|(at, answer)| Out::of(answer, at == 0))
                .boxed()
        } else {
            // A key is for what changes something.
            let key = key.filter(|_| kind == Some(OperationType::Mutation));
            let answer = once(self.app.clone(), self.schema.clone(), caller, key, request);
            stream::once(async move {
                let _kept = (pass, shared);
                as_tenant(tenant, answer).instrument(tracing::info_span!("operation")).await
            })
            .boxed()
        };
        self.operations.insert(id, outs.chain(stream::once(async { Out::Complete })).boxed());
        Ok(None)
    }

    fn tell(&mut self, id: &str, out: Out) -> String {
        match out {
            Out::Next(answer) => next(id, &answer),
            Out::Again(answer) => next(id, &answer),
            Out::Error(errors) => {
                self.operations.remove(id);
                failed(id, &errors)
            }
            Out::Complete => {
                self.operations.remove(id);
                json!({ "id": id, "type": "complete" }).to_string()
            }
        }
    }
}

/// Whether what the client showed at the beginning would still open the connection. Clients open it anew with a fresh
/// token by themselves.
async fn is_still_welcome(app: &App, actor: Option<Authentication>, token: Option<&str>) -> bool {
    let Some(Ok(Some(actor))) = actor else { return true };
    holds(actor, authenticate(app, token).await)
}

/// Whether what was known of somebody still is: who may do less by now, or more, comes again. While it cannot be found
/// out, nobody is sent away.
fn holds(before: Actor, now: Authentication) -> bool {
    match now {
        Ok(now) => now == Some(before),
        Err(code) => code == ErrorCode::UNAVAILABLE,
    }
}

/// One answer of an operation.
#[derive(Serialize)]
struct Next<'a, T> {
    id: &'a str,
    r#type: &'static str,
    payload: &'a T,
}

/// Written at once: an event goes to thousands, each in their own words.
fn next(id: &str, payload: &impl Serialize) -> String {
    serde_json::to_string(&Next { id, r#type: "next", payload }).unwrap_or_else(|e| {
        tracing::error!("an answer cannot be written: {e}");
        failed(id, &[response::coded(Error::internal(e))])
    })
}

fn failed(id: &str, errors: &[ServerError]) -> String {
    json!({ "id": id, "type": "error", "payload": errors }).to_string()
}

fn message_of(text: &str) -> Result<Value, Close> {
    if has_too_many_values(text.as_bytes()) {
        return Err(Close::invalid("too many values"));
    }
    serde_json::from_str(text).map_err(|_| Close::invalid("not JSON"))
}

fn id_of(message: &Value) -> Result<String, Close> {
    let id = message.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| Close::invalid("no id"))
}

fn looking() -> Interval {
    let mut look = interval(SILENCE / 2);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look
}

fn too_many() -> Error {
    Error::new(
        ErrorCode("TOO_MANY_OPERATIONS"),
        format!("Cette connexion a déjà {MAX_OPERATIONS} opérations en cours : terminez-en une."),
        format!("This connection has {MAX_OPERATIONS} operations under way already: complete one."),
    )
}

#[cfg(test)]
mod tests {
    use keroxio_core::{Credential, Rights};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_connection_is_as_good_as_its_credential() {
        let rights = Rights::of(&[keroxio_core::Right::Read, keroxio_core::Right::Stock]);
        let key = Actor {
            user_id: Uuid::nil(),
            org_id: Uuid::nil(),
            credential: Credential::ApiKey(Uuid::nil()),
            rights,
            limits: None,
            is_guest: false,
            staff: false,
        };
        assert!(holds(key, Ok(Some(key))));
        assert!(holds(key, Err(ErrorCode::UNAVAILABLE)));
        assert!(!holds(key, Ok(Some(Actor { rights: rights.suspended(), ..key }))));
        assert!(!holds(key, Err(ErrorCode("TOKEN_EXPIRED"))) && !holds(key, Ok(None)));
    }
}
