// SPDX-License-Identifier: GPL-2.0-or-later

// main FOLDER: what the OpenTelemetry Go SDK takes to export the spans and points of the requests that
// tests/bench/encode.c left: from the SDK's own data to the bytes that would be sent, which nobody reads.
// Prints what encode prints. The processes of the points are attributes here: the SDK knows one resource.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	cm "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	ct "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

const rounds = 400

// nowhere takes a request and counts its bytes.
type nowhere struct{ bytes int64 }

func (n *nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.Copy(io.Discard, r.Body)
	n.bytes = b
	return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}, Request: r}, err
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func read(name string, m proto.Message) {
	b, err := os.ReadFile(os.Args[1] + "/" + name + ".pb")
	must(err)
	must(proto.Unmarshal(b, m))
}

func attributes(from ...[]*common.KeyValue) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, list := range from {
		for _, kv := range list {
			switch v := kv.Value.Value.(type) {
			case *common.AnyValue_IntValue:
				out = append(out, attribute.Int64(kv.Key, v.IntValue))
			case *common.AnyValue_BoolValue:
				out = append(out, attribute.Bool(kv.Key, v.BoolValue))
			default:
				out = append(out, attribute.String(kv.Key, kv.Value.GetStringValue()))
			}
		}
	}
	return out
}

func at(ns uint64) time.Time { return time.Unix(0, int64(ns)) }

func spans() []sdktrace.ReadOnlySpan {
	var request ct.ExportTraceServiceRequest
	var out tracetest.SpanStubs
	read("spans", &request)
	for _, rs := range request.ResourceSpans {
		res := resource.NewSchemaless(attributes(rs.Resource.Attributes)...)
		for _, scope := range rs.ScopeSpans {
			for _, s := range scope.Spans {
				id := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID(s.TraceId),
					SpanID: trace.SpanID(s.SpanId), TraceFlags: 1})
				stub := tracetest.SpanStub{Name: s.Name, SpanContext: id, SpanKind: trace.SpanKind(s.Kind),
					StartTime: at(s.StartTimeUnixNano), EndTime: at(s.EndTimeUnixNano), Resource: res,
					Attributes:           attributes(s.Attributes),
					InstrumentationScope: instrumentation.Scope{Name: scope.Scope.Name}}
				if s.Status.GetCode() == 2 {
					stub.Status = sdktrace.Status{Code: codes.Error}
				}
				out = append(out, stub)
			}
		}
	}
	return out.Snapshots()
}

// points returns them as one resource, and how many.
func points() (*metricdata.ResourceMetrics, int) {
	var request cm.ExportMetricsServiceRequest
	read("points", &request)
	byName, order, n := map[string]*metricdata.Metrics{}, []string{}, 0
	for _, rm := range request.ResourceMetrics {
		for _, m := range rm.ScopeMetrics[0].Metrics {
			if byName[m.Name] == nil {
				byName[m.Name] = &metricdata.Metrics{Name: m.Name, Unit: m.Unit, Description: m.Description}
				order = append(order, m.Name)
			}
			list := m.GetGauge().GetDataPoints()
			if m.GetSum() != nil {
				list = m.GetSum().DataPoints
			}
			for _, p := range list {
				set := attribute.NewSet(attributes(p.Attributes, rm.Resource.Attributes)...)
				n++
				if v, ok := p.Value.(*metrics.NumberDataPoint_AsInt); ok {
					add(byName[m.Name], m.GetSum(), p, set, v.AsInt)
				} else {
					add(byName[m.Name], m.GetSum(), p, set, p.GetAsDouble())
				}
			}
		}
	}
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: "ottop"}}
	for _, name := range order {
		scope.Metrics = append(scope.Metrics, *byName[name])
	}
	return &metricdata.ResourceMetrics{Resource: resource.Empty(), ScopeMetrics: []metricdata.ScopeMetrics{scope}}, n
}

func add[N int64 | float64](to *metricdata.Metrics, sum *metrics.Sum, p *metrics.NumberDataPoint, set attribute.Set, v N) {
	point := metricdata.DataPoint[N]{Attributes: set, StartTime: at(p.StartTimeUnixNano), Time: at(p.TimeUnixNano), Value: v}
	if sum == nil {
		g, _ := to.Data.(metricdata.Gauge[N])
		g.DataPoints = append(g.DataPoints, point)
		to.Data = g
		return
	}
	s, _ := to.Data.(metricdata.Sum[N])
	s.Temporality, s.IsMonotonic = metricdata.CumulativeTemporality, sum.IsMonotonic
	s.DataPoints = append(s.DataPoints, point)
	to.Data = s
}

func cpu() time.Duration {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func measure(name string, items int, to *nowhere, export func() error) {
	must(export())
	before := cpu()
	for range rounds {
		must(export())
	}
	took := cpu() - before
	fmt.Printf("%s %d %.1f %.1f\n", name, items, float64(took.Nanoseconds())/float64(rounds*items), float64(to.bytes)/float64(items))
}

func main() {
	ctx, to := context.Background(), &nowhere{}
	client := &http.Client{Transport: to}
	traces, err := otlptracehttp.New(ctx, otlptracehttp.WithInsecure(), otlptracehttp.WithHTTPClient(client))
	must(err)
	list := spans()
	measure("spans", len(list), to, func() error { return traces.ExportSpans(ctx, list) })
	exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHTTPClient(client))
	must(err)
	data, n := points()
	measure("points", n, to, func() error { return exporter.Export(ctx, data) })
}
