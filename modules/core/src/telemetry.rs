//! Logs, and traces for whoever collects them by OTLP.

use std::io::IsTerminal as _;

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::Env;
use crate::redact::Redacting;

/// What is traced by default: requests, root fields, jobs, inference, statements and commands of Redis.
const TRACED: &str = "info,keroxio_core=debug,fred=debug";

/// How logs are written, and whether traces are sent.
pub struct Telemetry {
    /// A `tracing` directive such as `info,keroxio_core=debug`.
    pub filter: String,
    pub json: bool,
    /// Where traces go: a collector's address (OTLP over HTTP), to which `/v1/traces` is added.
    pub collector: Option<String>,
    /// A `tracing` directive for traces.
    pub traced: String,
}

impl Telemetry {
    /// `KEROXIO_LOG`, `KEROXIO_LOG_FORMAT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `KEROXIO_TRACES`. The SDK itself reads
    /// `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` and `OTEL_EXPORTER_OTLP_HEADERS`.
    pub fn read(env: &Env) -> Self {
        Self {
            filter: env.optional("KEROXIO_LOG").unwrap_or_else(|| "info,ort=warn".to_owned()),
            json: env.optional("KEROXIO_LOG_FORMAT").as_deref() == Some("json"),
            collector: env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
            traced: env.optional("KEROXIO_TRACES").unwrap_or_else(|| TRACED.to_owned()),
        }
    }

    /// Starts logging to stderr, without what is somebody's ([`crate::redact`]), and tracing where a collector is named. A second start in a process (tests) keeps the
    /// first. Traces are sent in the background; dropping the answer sends what is left.
    pub fn start(&self) -> Traces {
        let directive = |text: &str| EnvFilter::try_new(text).unwrap_or_else(|_| EnvFilter::new("info"));
        let colours = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_writer(Redacting).with_ansi(colours);
        let lines = if self.json { lines.json().boxed() } else { lines.boxed() };
        let provider = self.collector.as_deref().and_then(|collector| match provider(collector) {
            Ok(provider) => Some(provider),
            Err(e) => {
                eprintln!("OTEL_EXPORTER_OTLP_ENDPOINT: no traces: {e}");
                None
            }
        });
        let traces = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("keroxio")).with_filter(directive(&self.traced))
        });
        let _ = tracing_subscriber::registry().with(lines.with_filter(directive(&self.filter))).with(traces).try_init();
        Traces(provider)
    }
}

fn provider(collector: &str) -> Result<SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()?;
    let resource = Resource::builder().with_service_name("keroxio").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Sends traces until it is dropped.
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what was collected so far. Waits for the collector: not for the threads of the runtime.
    pub fn flush(&self) {
        if let Some(provider) = &self.0
            && let Err(e) = provider.force_flush()
        {
            tracing::debug!("traces were not sent: {e}");
        }
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            let _ = provider.shutdown();
        }
    }
}

/// The span that is open, as W3C Trace Context says it (`traceparent`); none where nobody collects traces.
pub fn current_trace() -> Option<String> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    let flags = span.trace_flags().to_u8();
    span.is_valid().then(|| format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id()))
}

/// Makes a span that is not yet entered part of a trace that began elsewhere; what is no `traceparent` changes nothing.
pub fn join(span: &Span, traceparent: &str) {
    if let Some(parent) = parent(traceparent) {
        // Nobody collects traces.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
    }
}

fn parent(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "00" || trace.len() != 32 || span.len() != 16 || flags.len() != 2 || parts.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::default())).filter(SpanContext::is_valid)
}

/// The number of the trace a span belongs to, for the log; none where nobody collects traces.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_trace_is_continued_when_it_is_one() {
        let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let found = parent(given).unwrap();
        assert_eq!(found.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(found.is_remote() && found.is_sampled());
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319x-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00",
        ] {
            assert!(parent(wrong).is_none(), "{wrong}");
        }
        assert_eq!(current_trace(), None, "nobody collects here");
    }
}
