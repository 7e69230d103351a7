@0x8f8a99339e493464;
# The subset of ocurrent/solver-service's interface that its clients use. Ids are what travels.

interface Log @0xe0e855b6a759ea64 {
  write @0 (msg :Text);
}

interface Solver @0xfcdf63bc07bada87 {
  solve @0 (request :Text, log :Log) -> (response :Text);
}
