@0x8378b104cef5b2eb;
# The subset of OCluster's interface that a worker of kind `custom` and those who submit to it need.

struct Custom @0xa5a1f28b5d271349 {
  kind @0 :Text;
  payload @1 :AnyPointer;
}

struct JobDescr @0xe8a11e4cd6914f3e {
  action :union {
    dockerBuild @0 :AnyPointer;
    obuilder @1 :AnyPointer;
    custom @2 :Custom;
  }
  cacheHint @3 :Text;
  repository @4 :Text;
  commits @5 :List(Text);
}

interface Job @0xca66fd1f972efccc {
  log @0 (start :Int64) -> (log :Data, next :Int64);
  result @1 () -> (output :Text);
  cancel @2 () -> ();
}

interface Queue @0x817f986f80263aaf {
  pop @0 (job :Job) -> (descr :JobDescr);
  setActive @1 (active :Bool) -> ();
}

enum MetricsSource {
  agent @0;
  host @1;
}

interface Worker @0xe06eedcf95bf7905 {
  metrics @0 (source :MetricsSource) -> (contentType :Text, data :Text);
  selfUpdate @1 () -> ();
  additionalMetric @2 (source :Text) -> (contentType :Text, data :Text);
}

interface Registration @0xe098a12b91e35740 {
  register @0 (name :Text, worker :Worker, capacity :Int32) -> (queue :Queue);
}

interface Ticket @0x9497c03b7ca5b27b {
  job @0 () -> (job :Job);
  cancel @1 () -> ();
}

interface Submission @0xf4e8a768b32a7c42 {
  submit @0 (pool :Text, descr :JobDescr, urgent :Bool) -> (ticket :Ticket);
}
