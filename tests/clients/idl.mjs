// The classic interface of Internet Identity, as its clients declare it: what Kedge must be compatible with.
export const kedge = ({ IDL }) => {
  const MetadataMap = IDL.Rec();
  MetadataMap.fill(
    IDL.Vec(IDL.Tuple(IDL.Text, IDL.Variant({ map: MetadataMap, string: IDL.Text, bytes: IDL.Vec(IDL.Nat8) }))),
  );
  const device = {
    pubkey: IDL.Vec(IDL.Nat8),
    alias: IDL.Text,
    credential_id: IDL.Opt(IDL.Vec(IDL.Nat8)),
    aaguid: IDL.Opt(IDL.Vec(IDL.Nat8)),
    purpose: IDL.Variant({ recovery: IDL.Null, authentication: IDL.Null }),
    key_type: IDL.Variant({
      unknown: IDL.Null,
      platform: IDL.Null,
      cross_platform: IDL.Null,
      seed_phrase: IDL.Null,
      browser_storage_key: IDL.Null,
    }),
    protection: IDL.Variant({ protected: IDL.Null, unprotected: IDL.Null }),
    origin: IDL.Opt(IDL.Text),
    metadata: IDL.Opt(MetadataMap),
  };
  const DeviceData = IDL.Record(device);
  const DeviceWithUsage = IDL.Record({ ...device, last_usage: IDL.Opt(IDL.Nat64) });
  const SignedDelegation = IDL.Record({
    delegation: IDL.Record({
      pubkey: IDL.Vec(IDL.Nat8),
      expiration: IDL.Nat64,
      targets: IDL.Opt(IDL.Vec(IDL.Principal)),
    }),
    signature: IDL.Vec(IDL.Nat8),
  });
  return IDL.Service({
    init_salt: IDL.Func([], [], []),
    create_challenge: IDL.Func([], [IDL.Record({ png_base64: IDL.Text, challenge_key: IDL.Text })], []),
    register: IDL.Func(
      [DeviceData, IDL.Record({ key: IDL.Text, chars: IDL.Text }), IDL.Opt(IDL.Principal)],
      [
        IDL.Variant({
          registered: IDL.Record({ user_number: IDL.Nat64 }),
          canister_full: IDL.Null,
          bad_challenge: IDL.Null,
        }),
      ],
      [],
    ),
    add: IDL.Func([IDL.Nat64, DeviceData], [], []),
    remove: IDL.Func([IDL.Nat64, IDL.Vec(IDL.Nat8)], [], []),
    lookup: IDL.Func([IDL.Nat64], [IDL.Vec(DeviceData)], ['query']),
    get_anchor_info: IDL.Func([IDL.Nat64], [IDL.Record({ devices: IDL.Vec(DeviceWithUsage) })], []),
    get_principal: IDL.Func([IDL.Nat64, IDL.Text], [IDL.Principal], ['query']),
    prepare_delegation: IDL.Func(
      [IDL.Nat64, IDL.Text, IDL.Vec(IDL.Nat8), IDL.Opt(IDL.Nat64)],
      [IDL.Vec(IDL.Nat8), IDL.Nat64],
      [],
    ),
    get_delegation: IDL.Func(
      [IDL.Nat64, IDL.Text, IDL.Vec(IDL.Nat8), IDL.Nat64],
      [IDL.Variant({ signed_delegation: SignedDelegation, no_such_delegation: IDL.Null })],
      ['query'],
    ),
  });
};

export const whoami = ({ IDL }) => IDL.Service({ whoami: IDL.Func([], [IDL.Principal], ['query']) });
