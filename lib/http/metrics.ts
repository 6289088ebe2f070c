/** `GET /metrics`: a few figures in the Prometheus text format. No ids and no texts of callers: labels are closed sets. */
import { jobStates, statusAt } from '../model/job.js';
import { isDegraded } from '../model/views.js';
import { sendText } from './answers.js';
import type { Handler, HttpService } from './exchange.js';

export const metrics: Handler = (exchange, service) => {
  sendText(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(service));
};

interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** Label part (may be empty) and value. */
  readonly samples: readonly (readonly [string, number])[];
}

export function metricsText(service: HttpService): string {
  return metricsOf(service).map(metricText).join('');
}

function metricText({ name, kind, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
}

function metricsOf({ dependencies: { kernel }, activity }: HttpService): Metric[] {
  const { state } = kernel;
  const context = kernel.viewContext();
  const counts = new Map<string, number>(jobStates.map((status) => [status, state.countOfStatus(status)]));
  for (const jobId of state.running()) {
    const job = state.job(jobId);
    const shown = job && statusAt(job, context.wallMs);
    if (shown === undefined || shown === 'running') continue;
    counts.set('running', (counts.get('running') ?? 0) - 1);
    counts.set(shown, (counts.get(shown) ?? 0) + 1);
  }
  const one = (name: string, kind: Metric['kind'], help: string, value: number): Metric => ({
    name,
    kind,
    help,
    samples: [['', value]],
  });
  return [
    one('agentopsd_ready', 'gauge', 'Whether the ledger can be believed in full.', Number(!isDegraded(context.health))),
    one('agentopsd_ledger_events', 'counter', 'Events of the ledger.', state.eventCount),
    one(
      'agentopsd_ledger_corrupt_records',
      'gauge',
      'Lines of the ledger that cannot be believed.',
      context.health.damage.length,
    ),
    { name: 'agentopsd_jobs', kind: 'gauge', help: 'Jobs by status.', samples: labelled('status', counts) },
    {
      name: 'agentopsd_http_answers',
      kind: 'counter',
      help: 'Answers by HTTP status.',
      samples: labelled('status', activity.answers()),
    },
    one('agentopsd_http_connections', 'gauge', 'Open connections.', activity.connections),
    one('agentopsd_http_event_streams', 'gauge', 'Open event streams.', activity.eventStreams),
    one(
      'agentopsd_http_slow_readers_dropped',
      'counter',
      'Readers that took nothing for too long.',
      activity.slowReadersDropped,
    ),
  ];
}

function labelled(label: string, entries: Iterable<readonly [string | number, number]>): [string, number][] {
  return [...entries].map(([value, count]) => [`{${label}="${value}"}`, count]);
}
