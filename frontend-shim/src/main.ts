import "./ic/agent.ts"; import {Agent} from "./ic/agent.ts"; import * as k from "./candid/kedge.gen.ts"; console.log(Agent, k.lookup, k.get_anchor_info, k.register)
