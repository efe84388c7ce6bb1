//! What `GET /` and `GET /canned` say.

use fincert_schemas::catalog::APIS;
use serde_json::{Value, json};

use crate::canned;
use crate::config::Config;
use crate::generate::Mode;

/// The short help for somebody who found the address.
pub(crate) fn text(config: &Config) -> String {
    let mut text = format!(
        "fincert mock host {version}: the financial-scenario API of FinClip, without an app\n\
         金融场景 API 的模拟宿主\n\n\
         integration {integration}, defect {defect}, results {results}\n\n",
        version = env!("CARGO_PKG_VERSION"),
        integration = config.integration.as_str(),
        defect = config.defect.map_or("none", |defect| defect.name),
        results = match config.generate {
            None => "canned".to_owned(),
            Some(Mode::Valid) => format!("generated, valid, seed {}", config.seed),
            Some(Mode::Invalid) => format!("generated, invalid, seed {}", config.seed),
        },
    );
    text += "  POST /ft/{api}   the request as JSON; the callback's value comes back, the header fincert-via names the callback\n\
             \x20                  请求参数为 JSON，返回回调的值，响应头 fincert-via 为回调名\n\
             \x20 GET  /canned     all canned results 全部预置结果\n\
             \x20 GET  /rules      the rules that a generated result can break 生成的结果可以违反的规则\n\
             \x20 GET  /openapi.json  all this as an OpenAPI 3.1 document OpenAPI 3.1 文档\n\
             \x20 GET  /journal    what was asked, without values 请求记录（不含取值）\n\
             \x20 GET  /bridge     the bridge, as a WebSocket; ft.webrtc is there alone 桥（WebSocket），ft.webrtc 仅在此提供\n\n\
             imagePath finfile://fixtures/ID names a specimen; any other path gives the default\n\
             imagePath 为 finfile://fixtures/ID 时按样张识别，其他路径返回默认结果\n\n\
             \x20 curl -d '{\"type\":\"IDCard\",\"imagePath\":\"finfile://fixtures/id-back-term\"}' HOST/ft/finCardOcr\n\
             \x20 curl -H 'Prefer: example=liveness-back' -d '{}' HOST/ft/finLivenessCheck\n\
             \x20 curl -H 'Prefer: dynamic=true, seed=7' -d '{\"type\":\"IDCard\",\"imagePath\":\"a\"}' HOST/ft/finCardOcr\n\
             \x20 curl -H 'Prefer: invalid=any, seed=7' -d '{\"type\":\"IDCard\",\"imagePath\":\"a\"}' HOST/ft/finCardOcr\n\n\
             canned results, * is a default 预置结果，* 为默认\n";
    for (api, _) in APIS {
        text += &format!("  {api}\n");
        for canned in canned::of(api) {
            let mark = if canned.default { "*" } else { " " };
            text += &format!("   {mark} {:<28} {} {}\n", canned.name, canned.description.en, canned.description.zh);
        }
    }
    text
}

/// All canned results.
pub(crate) fn canned() -> Value {
    canned::all()
        .unwrap_or_default()
        .iter()
        .map(|canned| {
            json!({"name": canned.name, "api": canned.api, "description": canned.description,
                "when": canned.when, "default": canned.default})
        })
        .collect()
}
